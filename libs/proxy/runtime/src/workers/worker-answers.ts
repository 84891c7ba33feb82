import type { ListenerState, ListenerStatus } from "../listener/listener-status.ts";
import type { XdsRejection, XdsResource } from "../xds-resource.ts";

/** Each resource once: most reasons are those of all threads. */
export function uniteRejections(...all: readonly (readonly XdsRejection[])[]): readonly XdsRejection[] {
  const byName = new Map<string, XdsRejection>();
  for (const rejection of all.flat()) if (!byName.has(rejection.name)) byName.set(rejection.name, rejection);
  return [...byName.values()];
}

/** What workers are to apply: of a resource that was rejected, its version of before. */
export function acceptedResources(
  resources: readonly XdsResource[],
  rejections: readonly XdsRejection[],
  before: readonly XdsResource[],
): readonly XdsResource[] {
  const rejected = new Set(rejections.map(({ name }) => name));
  if (rejected.size === 0) return resources;
  return [...resources.filter(({ name }) => !rejected.has(name)), ...before.filter(({ name }) => rejected.has(name))];
}

/**
 * All of one type that is in force after a response.
 *
 * @param wanted the names that are subscribed to: a response has some of them, the others stay. Undefined: it has all there is.
 */
export function resourcesInForce(
  accepted: readonly XdsResource[],
  before: readonly XdsResource[],
  wanted: readonly string[] | undefined,
): readonly XdsResource[] {
  if (wanted === undefined) return accepted;
  const byName = new Map([...before, ...accepted].map((resource) => [resource.name, resource]));
  return wanted.flatMap((name) => byName.get(name) ?? []);
}

const order: readonly ListenerState[] = ["warming", "active", "draining"];

/**
 * One status a listener: the least ready one of all threads.
 *
 * @param own of the control thread, which has each listener that is not draining
 */
export function mergeListeners(
  own: readonly ListenerStatus[],
  workers: readonly (readonly ListenerStatus[])[],
): ListenerStatus[] {
  const serving = own.filter(({ state }) => state !== "draining").map((status) => merge(status, workers));
  const draining = new Map<string, ListenerStatus>();
  for (const status of workers.flat()) {
    if (status.state !== "draining") continue;
    const known = draining.get(status.name);
    draining.set(status.name, { ...status, activeRequests: status.activeRequests + (known?.activeRequests ?? 0) });
  }
  return [...serving, ...draining.values()];
}

function merge(own: ListenerStatus, workers: readonly (readonly ListenerStatus[])[]): ListenerStatus {
  const theirs = workers.map((statuses) =>
    statuses.find(({ name, state }) => name === own.name && state !== "draining"),
  );
  const states = [own.state, ...theirs.map((status): ListenerState => status?.state ?? "warming")];
  return {
    ...own,
    state: order.find((state) => states.includes(state)) ?? own.state,
    activeRequests: theirs.reduce((sum, status) => sum + (status?.activeRequests ?? 0), 0),
  };
}
