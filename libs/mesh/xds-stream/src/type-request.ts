import type { CompiledResource } from "@fairlead/snapshot";
import type { RevisionRange } from "./revision-range.ts";

/** One request, without what belongs to the stream. Not altered afterwards: streams may share its lists, and find by them what was made of them. */
export interface TypeRequest {
  /** State of the world: all that is wanted. Delta: what is wanted in addition. */
  readonly names: readonly string[];
  /** Delta only: what is not wanted any more. @default nothing */
  readonly unsubscribed?: readonly string[];
  /** Delta only: what the client has from an earlier stream, name to version. @default nothing */
  readonly initialVersions?: ReadonlyMap<string, string>;
  /** Empty on the first request. */
  readonly nonce: string;
  /** Why the client refuses the response of this nonce; undefined = it does not. An empty reason is a refusal too. */
  readonly errorDetail?: string | undefined;
}

/**
 * What a request meant:
 * - `subscribe`: first of its type, or it changed what is wanted
 * - `ack`, `nack`: of the response that is under way
 * - `repeat`: the current nonce once more, with nothing new
 * - `stale`: of an older response, or of none
 */
export interface RequestOutcome {
  readonly typeUrl: string;
  readonly kind: "subscribe" | "ack" | "nack" | "repeat" | "stale";
  /** For ack and nack: ms since the response was sent. */
  readonly elapsedMs?: number;
  /** For ack and nack: the revisions that the response carried. */
  readonly range?: RevisionRange | undefined;
  /** For nack: the names that the client refuses: those that its reason names, or all that the response carried. */
  readonly refused?: readonly string[];
  /** For nack: what the response carried under these names; one list for all streams that refuse the same as a whole. */
  readonly refusedResources?: readonly CompiledResource[];
}

/** NACKED wins over what follows the refusal. */
export type TypeState = "ACKED" | "SENT" | "BLOCKED" | "NACKED" | "NOT_SUBSCRIBED";

/** A revision that a proxy has not ACKed. */
export interface PendingRevisions extends RevisionRange {
  readonly state: "SENT" | "BLOCKED" | "NACKED";
  /** The proxy's reason, or what it waits for. */
  readonly detail: string;
  readonly sinceMs: number;
}

/** One resource at a client. NACKED: of a content that it refuses. MISSING: subscribed by name, and not sent. */
export interface ResourceStatus {
  readonly typeUrl: string;
  readonly name: string;
  /** Empty when it is MISSING. */
  readonly version: string;
  readonly state: "ACKED" | "SENT" | "NACKED" | "MISSING";
}
