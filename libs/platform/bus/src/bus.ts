import type { KeyValue } from "./key-value.ts";

export interface BusMessage {
  readonly subject: string;
  readonly data: Uint8Array;
  /** The registry revision that the message is about; 0 when it is about none. */
  readonly revision: number;
  /** W3C trace context of the change that caused it; handlers run in it. @default that of the span that publishes */
  readonly traceparent?: string | undefined;
}

export interface SubscribeOptions {
  /**
   * `all`: first what the subject still retains, then what is published; after a lost connection, what was missed.
   * `new`: only what is published from now on; a lost connection may lose messages.
   * @default "new"
   */
  readonly deliver?: "all" | "new";
}

export interface BusSubscription {
  /** Resolves once the subscription is in force: what is published after that is delivered. */
  readonly ready: Promise<void>;
  /** No call begins after it; resolves once the one under way has settled, at most after 2 s. */
  stop(): Promise<void>;
}

export type ConnectionState = "connected" | "disconnected" | "closed";

/**
 * Publish and subscribe between services, and a key-value store with watches.
 *
 * A message is a hint: delivery is at least once, in the order of publication per publisher. Whoever sees
 * a gap in the revisions reads from the source of truth. `publish` and `put` of a disconnected
 * bus reject with FL_BUS_UNAVAILABLE within `publishTimeoutMs`; they never queue without bound.
 */
export interface Bus {
  /** Resolves when the bus has taken the message for safe keeping. */
  publish(message: BusMessage): Promise<void>;
  /**
   * Calls `handler` for one message after another; the next one waits until its promise has settled.
   * A handler that throws gets the message again, after a pause that grows to 5 s, at most 5 times; then it is logged and dropped.
   */
  subscribe(
    subject: string,
    handler: (message: BusMessage) => void | Promise<void>,
    options?: SubscribeOptions,
  ): BusSubscription;
  /**
   * Opens a bucket, making it where it does not exist; on a disconnected bus that is put off until it is used.
   * Keys: letters, digits and `-_.=/`, no empty word between dots, at most 1024.
   */
  keyValue(bucket: string): Promise<KeyValue>;
  readonly state: ConnectionState;
  /** Called at each change of `state`. @returns a function that ends it */
  onState(listener: (state: ConnectionState) => void): () => void;
  /** Flushes what is under way, at most 2 s, and closes. */
  close(): Promise<void>;
}
