import type { ListenerStatus } from "@fairlead/proxy-runtime";
import { addressJson } from "./socket-address.ts";

export function listenersText(listeners: readonly ListenerStatus[]): string {
  return listeners.map(({ name, address, port }) => `${name}::${address}:${port}\n`).join("");
}

/**
 * In the shape of Envoy's `envoy.admin.v3.Listeners`.
 *
 * @param verbose also what Envoy's messages have no place for: the state, and how many requests are under way
 */
export function listenersJson(listeners: readonly ListenerStatus[], verbose: boolean): object {
  return {
    listener_statuses: listeners.map(({ name, address, port, state, activeRequests }) => ({
      name,
      local_address: addressJson(address, port),
      ...(verbose ? { state, active_requests: activeRequests } : {}),
    })),
  };
}
