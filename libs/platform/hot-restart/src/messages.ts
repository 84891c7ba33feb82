/** What a socket is asked for by. Workers of one process have a socket each. */
export interface SocketRequest {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  /** @default 0 */
  readonly worker?: number;
  /** Of how many; sockets of several share the address. @default 1 */
  readonly workers?: number;
}

/** What an epoch has counted, and how much it still has to do. */
export interface EpochReport {
  /** By name; they only grow. */
  readonly counters: Readonly<Record<string, number>>;
  /** Durations by name: how many were in which bucket, and their sum. What is not known is not there. */
  readonly histograms?:
    Readonly<Record<string, { readonly counts: readonly number[]; readonly sumMs: number }>> | undefined;
  /** Of clients, that are open. */
  readonly connections: number;
}

/** From the process that serves to its supervisor. */
export type FromEpoch =
  | ({ readonly kind: "take"; readonly id: number } & SocketRequest)
  | ({ readonly kind: "release" } & SocketRequest)
  /** It has started, and warms. */
  | { readonly kind: "up" }
  | { readonly kind: "waiting"; readonly for: readonly string[] }
  /** It accepts; the one before it may go. */
  | { readonly kind: "ready" }
  /** Retired: it accepts and registers nothing any more, and serves what is under way. */
  | { readonly kind: "handed-over" }
  | ({ readonly kind: "report" } & EpochReport)
  /** Somebody asked it to end: all of it. */
  | { readonly kind: "quit" };

/** From the supervisor to the process that serves. */
export type FromSupervisor =
  | {
      readonly kind: "welcome";
      readonly epoch: number;
      /** Of the first epoch, in milliseconds since 1970. */
      readonly firstStartMs: number;
      /** Another one serves until this one is ready. */
      readonly replaces: boolean;
    }
  | { readonly kind: "taken"; readonly id: number; readonly port: number }
  | { readonly kind: "refused"; readonly id: number; readonly code: string; readonly message: string }
  | { readonly kind: "retire" }
  | { readonly kind: "parent-handed-over" }
  | ({ readonly kind: "parent-report" } & EpochReport)
  | { readonly kind: "parent-gone" }
  | { readonly kind: "stop" };
