/** One connection that sends prepared requests and counts the answers. */
export interface LoadClient {
  /** Requests that it may have under way. */
  readonly capacity: number;
  /** @param startedMs given back with the answer */
  send(startedMs: number): void;
  close(): void;
}

export interface LoadClientEvents {
  readonly onAnswer: (client: LoadClient, startedMs: number) => void;
  /** Anything but the answer that was expected. */
  readonly onError: (error: Error) => void;
}

/** Resolves when requests may be sent. */
export type ConnectClient = (events: LoadClientEvents) => Promise<LoadClient>;
