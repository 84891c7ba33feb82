/**
 * What a frame is for a proxy:
 * - `request`, `one-way`: a call, with or without an answer
 * - `response`
 * - `heartbeat`: wants a reply; `heartbeat-reply`: a sign of life that wants none. Both end on each hop
 * - `go-away`: the peer wants no new calls on this connection; `come-back`: it takes them again
 */
export type RpcFrameKind =
  "request" | "one-way" | "response" | "heartbeat" | "heartbeat-reply" | "go-away" | "come-back";

/**
 * One frame. Its bytes are passed on as they came; what is read of them is read when it is asked for.
 *
 * An id has up to 64 bits, kept in two numbers: one BigInt a call would cost more than the rest of the frame.
 */
export interface RpcFrame {
  readonly kind: RpcFrameKind;
  /** The whole frame. Nobody else holds it: only the id may be changed, by `RpcProtocol.setId`. */
  readonly bytes: Buffer;
  /** The upper 32 bits; 0 where ids are shorter. */
  readonly idHigh: number;
  /** The lower 32 bits, not negative. */
  readonly idLow: number;
}
