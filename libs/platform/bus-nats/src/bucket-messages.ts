import { JetStreamApiCodes, JetStreamApiError, type JsMsg } from "@nats-io/jetstream";
import { headers, type MsgHdrs } from "@nats-io/transport-node";
import type { NatsSession } from "./nats-session.ts";
import type { StreamPlan } from "./streams.ts";

/** As NATS's own key-value clients mark a deletion. */
const operationHeader = "KV-Operation";
const deletions: ReadonlySet<string> = new Set(["DEL", "PURGE"]);

/** How long a deletion stays in the bucket, for watches that were away. */
export const tombstoneKeptMs = 3600 * 1000;

export function tombstoneHeaders(): MsgHdrs {
  const written = headers();
  written.set(operationHeader, "DEL");
  return written;
}

export function isDeletion(marked: MsgHdrs | undefined): boolean {
  return marked !== undefined && deletions.has(marked.get(operationHeader));
}

/** The server stores the message only as the next one after this sequence of the stream. */
export function expectLast(written: MsgHdrs, sequence: number): void {
  written.set("Nats-Expected-Last-Sequence", String(sequence));
}

export function isConflict(error: unknown): boolean {
  return error instanceof JetStreamApiError && error.code === JetStreamApiCodes.StreamWrongLastSequence;
}

/** A deletion has no value; of messages with one the headers need not be read. */
export function isTombstone(message: JsMsg): boolean {
  return message.data.byteLength === 0 && isDeletion(message.headers);
}

export function isNotFound(error: unknown): boolean {
  return error instanceof JetStreamApiError && error.code === JetStreamApiCodes.NoMessageFound;
}

/** @returns the sequence of the newest message in the bucket; 0 when there is none */
export async function lastSequence(session: NatsSession, plan: StreamPlan): Promise<number> {
  try {
    const message = await session.manager.streams.getMessage(plan.name, { last_by_subj: plan.subject });
    return message?.seq ?? 0;
  } catch (error) {
    if (isNotFound(error)) return 0;
    throw error;
  }
}
