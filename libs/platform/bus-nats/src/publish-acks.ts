import { type ApiError, JetStreamApiError } from "@nats-io/jetstream";
import {
  createInbox,
  type Msg,
  type MsgHdrs,
  type NatsConnection,
  PermissionViolationError,
} from "@nats-io/transport-node";

interface Waiting {
  readonly subject: string;
  readonly resolve: (sequence: number) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

/** What a server answers to a message that it has stored, or not. */
interface Ack {
  readonly seq?: number;
  readonly error?: ApiError;
}

/**
 * Messages into streams, and the server's word for each that it has stored it: all answers of a connection come to one subscription.
 *
 * The client library's `publish` makes a request of each message, with an error and its stack that is never thrown: for a compiler that
 * writes a few thousand entries at once that is more than half of the cost.
 */
export class PublishAcks {
  readonly #connection: NatsConnection;
  readonly #timeoutMs: number;
  readonly #inbox = `${createInbox()}.`;
  readonly #waiting = new Map<string, Waiting>();
  #last = 0;

  constructor(connection: NatsConnection, timeoutMs: number) {
    this.#connection = connection;
    this.#timeoutMs = timeoutMs;
    connection.subscribe(`${this.#inbox}*`, {
      callback: (error, message) => {
        if (error === null) this.#take(message);
      },
    });
    void this.#followRefusals();
    void connection.closed().then((reason) => {
      for (const token of this.#waiting.keys())
        this.#settle(token)?.reject(new Error("the connection was lost", { cause: reason }));
    });
  }

  /**
   * @returns the message's sequence in its stream
   * @throws JetStreamApiError when the server does not store it; Error when it does not say so in time
   */
  async publish(subject: string, data: Uint8Array, headers: MsgHdrs): Promise<number> {
    const token = String((this.#last += 1));
    return await new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#settle(token)?.reject(new Error("timeout")), this.#timeoutMs);
      this.#waiting.set(token, { subject, resolve, reject, timer });
      try {
        this.#connection.publish(subject, data, { headers, reply: this.#inbox + token });
      } catch (error) {
        this.#settle(token);
        throw error;
      }
    });
  }

  #settle(token: string): Waiting | undefined {
    const waiting = this.#waiting.get(token);
    this.#waiting.delete(token);
    clearTimeout(waiting?.timer);
    return waiting;
  }

  #take(message: Msg): void {
    const waiting = this.#settle(message.subject.slice(this.#inbox.length));
    if (waiting === undefined) return;
    if (message.data.byteLength === 0) {
      waiting.reject(new Error(`no stream takes ${waiting.subject}`));
      return;
    }
    const { seq, error } = message.json<Ack>();
    if (error !== undefined) waiting.reject(new JetStreamApiError(error));
    else if (seq === undefined) waiting.reject(new Error(`the answer to ${waiting.subject} is none of a stream`));
    else waiting.resolve(seq);
  }

  /** A message that the connection may not publish gets no answer. */
  async #followRefusals(): Promise<void> {
    for await (const status of this.#connection.status()) {
      if (status.type !== "error" || !(status.error instanceof PermissionViolationError)) continue;
      for (const [token, { subject }] of this.#waiting)
        if (subject === status.error.subject) this.#settle(token)?.reject(status.error);
    }
  }
}
