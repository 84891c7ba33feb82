import { settledWithin } from "@fairlead/bus/adapter";
import type { Logger } from "@fairlead/logging";
import type { ConsumerMessages } from "@nats-io/jetstream";
import { isTombstone, lastSequence, tombstoneKeptMs } from "./bucket-messages.ts";
import type { NatsSession } from "./nats-session.ts";
import type { StreamPlan } from "./streams.ts";

/**
 * Removes old deletions from a bucket: each is a message that would stay for ever, and a mesh makes new node ids every day.
 * The one who deletes sweeps, at most once in the time that a deletion is kept.
 */
export class TombstoneSweep {
  readonly #plan: StreamPlan;
  readonly #logger: Logger;
  #startedAt = 0;
  #running: Promise<void> = Promise.resolve();
  #messages: ConsumerMessages | undefined;

  constructor(plan: StreamPlan, logger: Logger) {
    this.#plan = plan;
    this.#logger = logger;
  }

  maybeStart(session: NatsSession): void {
    if (Date.now() - this.#startedAt < tombstoneKeptMs) return;
    this.#startedAt = Date.now();
    this.#running = sweepTombstones(session, this.#plan, {
      olderThanMs: tombstoneKeptMs,
      onReading: (messages) => (this.#messages = messages),
    }).then(
      (removed) => this.#logger.debug({ stream: this.#plan.name, removed }, "removed old deletions from the bucket"),
      (error: unknown) =>
        this.#logger.warn({ stream: this.#plan.name, err: error }, "could not remove old deletions from the bucket"),
    );
  }

  async stop(): Promise<void> {
    void this.#messages?.close();
    await settledWithin(this.#running, 1000);
  }
}

/** @returns how many were removed */
export async function sweepTombstones(
  session: NatsSession,
  plan: StreamPlan,
  {
    olderThanMs,
    onReading,
  }: { readonly olderThanMs: number; readonly onReading?: (messages: ConsumerMessages) => void },
): Promise<number> {
  const end = await lastSequence(session, plan);
  if (end === 0) return 0;
  const consumer = await session.consumers.get(plan.name, { filter_subjects: plan.subject, headers_only: true });
  const messages = await consumer.consume({ max_messages: 256, abort_on_missing_resource: true });
  onReading?.(messages);
  let removed = 0;
  try {
    for await (const message of messages) {
      const ageMs = Date.now() - message.info.timestampNanos / 1e6;
      if (isTombstone(message) && ageMs >= olderThanMs) {
        // Up to this sequence only: the key may have been written again since.
        await session.manager.streams.purge(plan.name, { filter: message.subject, seq: message.seq + 1 });
        removed++;
      }
      if (message.seq >= end || message.info.pending === 0) break;
    }
  } finally {
    await messages.close();
    if (!session.connection.isClosed()) await consumer.delete().catch(() => undefined);
  }
  return removed;
}
