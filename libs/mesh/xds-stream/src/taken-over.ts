import type { CompiledResource, ResourceView } from "@fairlead/snapshot";
import { SharedVersions } from "./shared-versions.ts";
import type { Subscription } from "./subscription.ts";

/** What a client has from an earlier stream, beside what it may have. */
export interface TakenOver {
  /** All of it that is wanted; what the client has in another version is there with an unknown one. */
  readonly held: SharedVersions;
  /** What it has in another version. */
  readonly outdated: readonly CompiledResource[];
  /** What is gone. */
  readonly gone: readonly string[];
}

export const unknownVersion = "";

type Versions = ReadonlyMap<string, string>;

interface Known {
  readonly resources: readonly CompiledResource[];
  readonly names: object;
  readonly wildcard: boolean;
  readonly result: TakenOver;
}

/** The last result, by what clients have: after a restart thousands come that have the same. */
const known = new WeakMap<Versions, Known>();

/** Rule 32. @param versions name to version; many streams may share one map */
export function takenOver(
  versions: Versions,
  { typeUrl, subscription, view }: { typeUrl: string; subscription: Subscription; view: ResourceView },
): TakenOver {
  // The array stands for the content of the view: any change of the type makes another one.
  const resources = view.resources(typeUrl);
  const { nameSet: names, wildcard } = subscription;
  const last = known.get(versions);
  if (last?.resources === resources && last.names === names && last.wildcard === wildcard) return last.result;
  const held = new Map<string, string>();
  const outdated: CompiledResource[] = [];
  const gone: string[] = [];
  for (const [name, version] of versions) {
    const resource = view.get(typeUrl, name);
    if (!subscription.covers(name, resource?.onDemand ?? false)) continue;
    const isEqual = resource?.version === version;
    held.set(name, isEqual ? version : unknownVersion);
    if (resource === undefined) gone.push(name);
    else if (!isEqual) outdated.push(resource);
  }
  const result = { held: SharedVersions.empty.with(held), outdated, gone };
  known.set(versions, { resources, names, wildcard, result });
  return result;
}
