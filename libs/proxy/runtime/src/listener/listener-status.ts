export type ListenerState = "warming" | "active" | "draining";

export interface ListenerStatus {
  readonly name: string;
  readonly address: string;
  /** The bound port; the configured one while the listener warms. */
  readonly port: number;
  readonly state: ListenerState;
  readonly activeRequests: number;
}
