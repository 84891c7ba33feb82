import { FairleadError } from "@fairlead/errors";
import type { ListenerStatus } from "@fairlead/proxy-runtime";
import { masked } from "./field-mask.ts";
import { searchOf } from "./stats-page.ts";

/**
 * One kind of resource, those whose names match, or some of their fields. Endpoints are always there (Envoy: with include_eds).
 *
 * @throws FairleadError FL_REQUEST_INVALID
 */
export function configDumpPage(dump: object, query: URLSearchParams): object {
  const resource = query.get("resource");
  const name = query.get("name_regex");
  let parts = Object.entries(dump);
  if (resource !== null) {
    const lists = parts.filter(([, value]) => Array.isArray(value)).map(([key]) => key);
    if (!lists.includes(resource))
      throw new FairleadError(
        "FL_REQUEST_INVALID",
        `resource is one of ${lists.join(", ")}, not ${resource.slice(0, 50)}`,
      );
    parts = parts.filter(([key]) => key === resource);
  }
  if (name !== null) {
    const matches = searchOf(name);
    parts = parts.map(([key, value]) => [
      key,
      Array.isArray(value) ? value.filter((one) => matches(nameOf(one))) : value,
    ]);
  }
  const mask = query.get("mask")?.split(",");
  if (mask !== undefined)
    parts = parts.map(([key, value]) => [key, Array.isArray(value) ? masked(value, mask) : value]);
  return Object.fromEntries(parts);
}

function nameOf(resource: unknown): string {
  return typeof resource === "object" && resource !== null && "name" in resource ? String(resource.name) : "";
}

/** In the shape of Envoy's `envoy.admin.v3.UnreadyTargetsDumps`. */
export function initDump(waitingFor: readonly string[], listeners: readonly ListenerStatus[]): object {
  const warming = listeners.filter(({ state }) => state === "warming").map(({ name }) => `listener ${name}`);
  return {
    unready_targets_dumps: [
      ...(waitingFor.length === 0 ? [] : [{ name: "server", target_names: [...waitingFor] }]),
      ...(warming.length === 0 ? [] : [{ name: "listener manager", target_names: warming }]),
    ],
  };
}
