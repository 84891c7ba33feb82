import {
  DiscardPolicy,
  JetStreamApiError,
  type JetStreamManager,
  RetentionPolicy,
  StorageType,
  type StreamInfo,
} from "@nats-io/jetstream";
import { nanos } from "@nats-io/transport-node";

const mebibyte = 1024 * 1024;

/** What a stream must be when this program is the first to need it. One that exists is taken as it is. */
export interface StreamPlan {
  readonly name: string;
  readonly subject: string;
  readonly maxMessagesPerSubject: number;
  readonly maxBytes: number;
  /** 0: for ever. */
  readonly maxAgeMs: number;
  /** When it is full: the oldest messages go, or new ones are refused. */
  readonly whenFull: "drop-oldest" | "refuse";
}

/** All messages of the mesh. They are hints: a day and 1000 a subject is more than anyone reads. */
export const messageStream: StreamPlan = {
  name: "FAIRLEAD",
  subject: "fairlead.v1.>",
  maxMessagesPerSubject: 1000,
  maxBytes: 64 * mebibyte,
  maxAgeMs: 24 * 3600 * 1000,
  whenFull: "drop-oldest",
};

/** A key-value bucket, named as NATS's own tools name it: `nats kv ls` shows it. */
export function bucketStream(bucket: string): StreamPlan {
  return {
    name: `KV_${bucket}`,
    subject: `$KV.${bucket}.>`,
    maxMessagesPerSubject: 1,
    maxBytes: 1024 * mebibyte,
    maxAgeMs: 0,
    whenFull: "refuse",
  };
}

/** JetStream's codes of answers that mean "another client was faster" and "no room for so large a limit". */
const nameInUse = 10058;
const insufficientStorage = new Set([10023, 10028, 10047]);
const streamNotFound = 10059;

async function existing(manager: JetStreamManager, name: string): Promise<StreamInfo | undefined> {
  try {
    return await manager.streams.info(name);
  } catch (error) {
    if (error instanceof JetStreamApiError && error.code === streamNotFound) return undefined;
    throw error;
  }
}

/** @returns the stream, made where it was missing */
export async function ensureStream(manager: JetStreamManager, plan: StreamPlan): Promise<StreamInfo> {
  const found = await existing(manager, plan.name);
  if (found !== undefined) return found;
  const create = (maxBytes: number) =>
    manager.streams.add({
      name: plan.name,
      subjects: [plan.subject],
      retention: RetentionPolicy.Limits,
      storage: StorageType.File,
      discard: plan.whenFull === "refuse" ? DiscardPolicy.New : DiscardPolicy.Old,
      max_msgs_per_subject: plan.maxMessagesPerSubject,
      max_bytes: maxBytes,
      max_age: nanos(plan.maxAgeMs),
      allow_rollup_hdrs: true,
      // Every read goes to the stream's leader, so that a value that was put is seen.
      allow_direct: false,
      num_replicas: 1,
    });
  try {
    return await create(plan.maxBytes);
  } catch (error) {
    if (!(error instanceof JetStreamApiError)) throw error;
    // A server with a small disk cannot set this much aside; its own limit then bounds the stream.
    if (insufficientStorage.has(error.code)) return await create(-1);
    if (error.code === nameInUse) return await manager.streams.info(plan.name);
    throw error;
  }
}
