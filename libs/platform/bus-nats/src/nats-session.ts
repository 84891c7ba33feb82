import {
  type JetStreamClient,
  type JetStreamManager,
  jetstream,
  jetstreamManager,
  type StreamInfo,
} from "@nats-io/jetstream";
import type { MsgHdrs, NatsConnection } from "@nats-io/transport-node";
import { PublishAcks } from "./publish-acks.ts";
import { ensureStream, type StreamPlan } from "./streams.ts";

/** What the server takes beside the payload: our headers, with room. */
const headerBytes = 4096;

/** One connection, from when it stands until it is lost. Nothing of it is used after that. */
export class NatsSession {
  readonly connection: NatsConnection;
  readonly manager: JetStreamManager;
  readonly #jetstream: JetStreamClient;
  readonly #acks: PublishAcks;
  readonly #known = new Set<string>();

  private constructor(connection: NatsConnection, manager: JetStreamManager, timeoutMs: number) {
    this.connection = connection;
    this.manager = manager;
    this.#jetstream = jetstream(connection, { timeout: timeoutMs });
    this.#acks = new PublishAcks(connection, timeoutMs);
  }

  static async open(connection: NatsConnection, timeoutMs: number): Promise<NatsSession> {
    // Without the check, a server whose JetStream is still starting would count as lost.
    return new NatsSession(
      connection,
      await jetstreamManager(connection, { checkAPI: false, timeout: timeoutMs }),
      timeoutMs,
    );
  }

  get consumers(): JetStreamClient["consumers"] {
    return this.#jetstream.consumers;
  }

  /** Largest message that this server takes. */
  get maxBytes(): number {
    return Math.max(0, (this.connection.info?.max_payload ?? 1024 * 1024) - headerBytes);
  }

  /** Asks the server each time: a stream may have been removed and made again since. */
  async stream(plan: StreamPlan): Promise<StreamInfo> {
    this.#known.delete(plan.name);
    const info = await ensureStream(this.manager, plan);
    this.#known.add(plan.name);
    return info;
  }

  /** Makes the stream where it is missing, unless this session has seen it. */
  async known(plan: StreamPlan): Promise<void> {
    if (!this.#known.has(plan.name)) await this.stream(plan);
  }

  /** Something was wrong with the stream: it is looked for before it is used again. */
  forget(plan: StreamPlan): void {
    this.#known.delete(plan.name);
  }

  /** @returns the message's sequence in its stream, once the server has stored it */
  async append(plan: StreamPlan, subject: string, data: Uint8Array, headers: MsgHdrs): Promise<number> {
    await this.known(plan);
    try {
      return await this.#acks.publish(subject, data, headers);
    } catch (error) {
      // Perhaps nobody took it because the stream is gone.
      this.forget(plan);
      throw error;
    }
  }
}
