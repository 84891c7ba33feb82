import type { ListenerStatus } from "@fairlead/proxy-runtime";

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
