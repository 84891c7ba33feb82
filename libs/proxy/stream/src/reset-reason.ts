/** Why a stream ended before its message did; Envoy's words, which operators search for in logs and bodies. */
export type ResetReason =
  | "local connection failure"
  | "remote connection failure"
  | "connection timeout"
  | "connection termination"
  | "local reset"
  | "remote reset"
  /** The peer says that it has not begun with it: it may be sent again, whatever it is. */
  | "remote refused stream reset"
  | "local refused stream reset"
  | "remote error with CONNECT request"
  /** There was too much to do. */
  | "overload manager reset"
  | "overflow"
  | "protocol error";
