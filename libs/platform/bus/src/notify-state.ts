import type { Logger } from "@fairlead/logging";
import type { ConnectionState } from "./bus.ts";

/** Tells all listeners; one that throws is logged and keeps nothing from the others, nor from the bus. */
export function notifyState(
  listeners: Iterable<(state: ConnectionState) => void>,
  state: ConnectionState,
  logger: Logger | undefined,
): void {
  for (const listener of listeners) {
    try {
      listener(state);
    } catch (error) {
      logger?.error({ err: error, state }, "a listener for the state of the bus failed");
    }
  }
}
