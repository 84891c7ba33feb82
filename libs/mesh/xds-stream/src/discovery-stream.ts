import type { ResourceView, TouchedNames } from "@fairlead/snapshot";
import type { RevisionRange } from "./revision-range.ts";
import type { PendingRevisions, RequestOutcome, ResourceStatus, TypeRequest, TypeState } from "./type-request.ts";

export interface DiscoveryStreamOptions {
  /** Told to clients as control_plane.identifier (rule 11). */
  readonly controlPlane: string;
  /** Begins each nonce; another one for each stream, so that a nonce of an old stream fits none of this one. */
  readonly noncePrefix: string;
  /** The type of a single-type service, which its requests may leave out. @default none: each request names its type (ADS) */
  readonly onlyType?: string | undefined;
  /** How long a change waits for the ACK of the response before it, and a removal for those of its users. @default 15 s */
  readonly ackTimeoutMs?: number;
  /** Names per type. @default 10000 */
  readonly maxNames?: number;
  /** Endpoints and routes are split into responses of about this size. Clients take 4 MiB (rule 74). @default 3 MiB */
  readonly maxResponseBytes?: number;
}

/** One request of either variant. */
export interface StreamRequest extends TypeRequest {
  /** May be empty on a stream of one type. */
  readonly typeUrl: string;
}

/** A response that is to be written to the client now. */
export interface OutgoingResponse {
  readonly typeUrl: string;
  readonly nonce: string;
  readonly versionInfo: string;
  /** How many resources it carries. */
  readonly count: number;
  readonly range: RevisionRange | undefined;
  /** The encoded message: a DiscoveryResponse or a DeltaDiscoveryResponse. */
  readonly bytes: Buffer;
}

export interface PendingOfType extends PendingRevisions {
  readonly typeUrl: string;
}

/** One type of a stream, as an operator sees it. */
export interface TypeStatus {
  readonly typeUrl: string;
  readonly state: TypeState;
  readonly sentVersion: string;
  readonly ackedVersion: string;
  /** The newest registry revision that was sent. */
  readonly revision: number;
  /** The client's reason for a NACK, or what a change waits for. */
  readonly detail: string;
  /** Of the last change of state; ms since the epoch. */
  readonly sinceMs: number;
  /** Resources that the client was sent. */
  readonly resources: number;
}

/**
 * One xDS stream, state of the world or delta. It has no timers and no sockets: whoever owns it passes requests and
 * changes in, and writes what `take` gives. One thing after the other: `request` or `release`, then `take`.
 */
export interface DiscoveryStream {
  /**
   * Takes a request in; call `take` after it.
   *
   * @throws FairleadError FL_XDS_TYPE_MISSING, FL_XDS_TYPE_FOREIGN, FL_XDS_TOO_MANY_NAMES, FL_XDS_TOO_MANY_TYPES: the
   * stream is to be ended
   */
  request(request: StreamRequest, view: ResourceView, revision: number, now: number): RequestOutcome;
  /**
   * Notes what commits touched. It counts as pending from now on, and is sent by `take` after `release`.
   *
   * @param revisions of the commits @param view with all of them in force @returns how many types they concern
   */
  announce(touched: TouchedNames, revisions: RevisionRange, view: ResourceView, now: number): number;
  /** Lets `take` send what was announced. */
  release(): void;
  /** `release` for endpoints only: they do not wait until it is quiet elsewhere. */
  releaseEndpoints(): void;
  /** @returns what is to be written now, in order; once it is returned it counts as sent */
  take(view: ResourceView, now: number): readonly OutgoingResponse[];
  /** When `take` may have something to send though no request and no change came; on the clock of `now`. */
  deadline(now: number): number | undefined;
  /** Whether a request asked for something that was not sent yet. */
  readonly owes: boolean;
  /** Whether the client wants anything of the type. */
  wants(typeUrl: string): boolean;
  /** The revisions that the client has not ACKed. */
  pending(): PendingOfType[];
  /** Whether there are any. */
  readonly hasPending: boolean;
  status(): TypeStatus[];
  /** What the client holds, refuses and misses, one by one. */
  resources(): Iterable<ResourceStatus>;
}
