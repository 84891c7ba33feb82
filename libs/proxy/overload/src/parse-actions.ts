import { FairleadError } from "@fairlead/errors";
import "./errors.ts";
import type { OverloadAction, OverloadResource, OverloadTrigger } from "./overload-config.ts";

const actions: readonly string[] = [
  "stop_accepting_requests",
  "disable_http_keepalive",
  "stop_accepting_connections",
  "reject_incoming_connections",
  "reduce_timeouts",
] satisfies OverloadAction[];
const resources: readonly string[] = [
  "memory",
  "heap",
  "event_loop_delay",
  "connections",
  "file_descriptors",
] satisfies OverloadResource[];

const form = /^([a-z_]+)=([a-z_]+):(\d+(?:\.\d+)?)(?:-(\d+(?:\.\d+)?))?$/;

/** @param text as `defaultOverloadActions` is written; "off" = nothing is done. @throws FairleadError FL_OVERLOAD_ACTIONS_INVALID */
export function parseOverloadActions(text: string): readonly OverloadTrigger[] {
  if (text.trim() === "off") return [];
  return text.split(/\s+/).flatMap((part) => (part === "" ? [] : [parseTrigger(part)]));
}

function parseTrigger(part: string): OverloadTrigger {
  const [, action = "", resource = "", first = "", second = first] = form.exec(part) ?? [];
  const refuse = (why: string): never => {
    throw new FairleadError("FL_OVERLOAD_ACTIONS_INVALID", `${part.slice(0, 100)}: ${why}`);
  };
  if (action === "") return refuse("it is not <action>=<resource>:<share> or <action>=<resource>:<from>-<to>");
  if (!actions.includes(action)) return refuse(`there is no action ${action}; there is ${actions.join(", ")}`);
  if (!resources.includes(resource))
    return refuse(`there is no resource ${resource}; there is ${resources.join(", ")}`);
  const [from, to] = [Number(first), Number(second)];
  if (from > to || from <= 0 || to > 1)
    return refuse("shares are above 0, at most 1, and the first is not the larger one");
  if (from < to && action !== "reduce_timeouts") return refuse(`${action} has one share: it is done or not`);
  return { action: action as OverloadAction, resource: resource as OverloadResource, from, to };
}
