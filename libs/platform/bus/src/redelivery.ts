import { setTimeout as pause } from "node:timers/promises";
import { detached, withTraceparent } from "@fairlead/telemetry";
import type { Logger } from "@fairlead/logging";
import type { BusMessage } from "./bus.ts";

/** Milliseconds before each further call of a handler that threw; as many calls as there are entries. */
export const defaultRedeliveryPausesMs: readonly number[] = [100, 400, 1500, 5000, 5000];

export interface RedeliveryOptions {
  readonly pausesMs: readonly number[];
  readonly logger: Logger | undefined;
  /** Ends the pauses: the subscription was stopped. */
  readonly signal: AbortSignal;
}

/**
 * Gives one message to a handler until it takes it, within the trace that the message names.
 * Never rejects; a message that no call took is logged and dropped.
 */
export async function deliver(
  message: BusMessage,
  handler: (message: BusMessage) => void | Promise<void>,
  { pausesMs, logger, signal }: RedeliveryOptions,
): Promise<void> {
  const call = async () => await detached(() => withTraceparent(message.traceparent, () => handler(message)));
  for (let attempt = 1; !signal.aborted; attempt++) {
    try {
      return await call();
    } catch (error) {
      const facts = { subject: message.subject, revision: message.revision, attempt, err: error };
      const pauseMs = pausesMs[attempt - 1];
      if (pauseMs === undefined) {
        logger?.error(facts, "bus message dropped: its handler failed each time");
        return;
      }
      logger?.warn({ ...facts, pauseMs }, "bus handler failed; the message is given again");
      await pause(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  }
}

/** Waits for work to settle, but not for ever: what is called by `stop()` and `close()`. */
export async function settledWithin(work: Promise<unknown>, limitMs: number): Promise<void> {
  const limit = new AbortController();
  await Promise.race([
    work.catch(() => undefined),
    pause(limitMs, undefined, { signal: limit.signal }).catch(() => undefined),
  ]);
  limit.abort();
}
