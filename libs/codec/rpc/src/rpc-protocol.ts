import type { FrameLayout } from "./frame-collector.ts";
import type { RpcCall } from "./rpc-call.ts";
import type { RpcFrame } from "./rpc-frame.ts";

/** Why a call is answered by the proxy and not by its service. */
export type RpcFailure =
  | "no-route"
  | "no-healthy-upstream"
  | "overflow"
  | "timeout"
  | "connection-failed"
  | "connection-lost"
  | "denied"
  | "malformed"
  | "unavailable";

export interface RpcOutcome {
  /** The framework's part: the call reached its service and came back. */
  readonly delivered: boolean;
  /** The service threw: delivered, and a failure for whoever counts them. */
  readonly threw: boolean;
  /** The protocol's status code. */
  readonly status: number;
  /** What it would be in HTTP: for retries, outlier detection and statistics, which are HTTP's for all protocols. */
  readonly httpStatus: number;
}

/** An RPC protocol, as the proxy needs it. Has no state: one object serves all connections. */
export interface RpcProtocol extends FrameLayout {
  readonly name: string;
  /** With these the callee's side says that it has not begun with a call: it may be sent again, wherever it would do harm twice. */
  readonly refusedStatuses: ReadonlySet<number>;
  /** Whether a connection that begins with these bytes speaks it; undefined: more of them are needed. */
  matches(first: Uint8Array): boolean | undefined;
  /**
   * @param bytes one frame, as `lengthOf` measured it
   * @throws FairleadError FL_RPC_MALFORMED
   */
  frameOf(bytes: Buffer): RpcFrame;
  /** Changes the id in place, and what depends on it. */
  setId(bytes: Buffer, idHigh: number, idLow: number): void;
  /**
   * @param frame a `request` or `one-way`
   * @throws FairleadError FL_RPC_BODY_UNREADABLE: the call fails, the connection goes on
   */
  callOf(frame: RpcFrame): RpcCall;
  /** @param frame a `response` */
  outcomeOf(frame: RpcFrame): RpcOutcome;
  /**
   * The frame with attachments added or replaced; its arguments are not touched.
   *
   * @throws FairleadError FL_RPC_BODY_UNREADABLE, FL_RPC_TOO_LARGE where the protocol has no room for them
   */
  withAttachments(frame: RpcFrame, added: readonly (readonly [name: string, value: string])[]): Buffer;
  /** A heartbeat that a peer answers. @param idLow not negative */
  heartbeat(idLow: number): Buffer;
  heartbeatReply(frame: RpcFrame): Buffer;
  /** Says that this connection takes no new calls; undefined where clients do not know such a thing. */
  goAway(idLow: number): Buffer | undefined;
  /** Answers a `request` as its own framework would. @param text for people; goes into the exception that the caller sees */
  failureOf(request: RpcFrame, failure: RpcFailure, text: string): Buffer;
}
