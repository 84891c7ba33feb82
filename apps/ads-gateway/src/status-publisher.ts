import { create, toBinary } from "@bufbuild/protobuf";
import { type Bus, subjects } from "@fairlead/bus";
import { type GatewayStatus, GatewayStatusSchema } from "@fairlead/fairlead-api";
import type { Logger } from "@fairlead/logging";
import { detached } from "@fairlead/telemetry";
import { nackMessages, type PendingOfNode, pendingMessages, type RefusalOfNode } from "./status-messages.ts";

/** What a status says, at the time of asking. */
export interface StatusFacts {
  readonly gatewayId: string;
  readonly debugUrl: string;
  readonly revision: number;
  readonly connected: number;
  readonly nodeIds: Iterable<string>;
  /** Another one when `nodeIds` are others. */
  readonly nodeIdsVersion: number;
  readonly pending: Iterable<PendingOfNode>;
  /** Those that stand. */
  readonly refusals: Iterable<RefusalOfNode>;
}

export interface StatusPublisherOptions {
  readonly bus: Bus;
  readonly logger: Logger;
  readonly read: () => StatusFacts;
}

const heartbeatMs = 1000;
/** What happens within this time goes into one message. */
const coalesceMs = 5;
/** A status of thousands of pending proxies takes milliseconds to make: at most this part of the time goes into them. */
const maxShare = 0.05;
const maxPauseMs = 250;
/** With what else a status holds below the megabyte that nats-server takes by default. */
const maxNodeIds = 10_000;
/** How often the ids of connected proxies are sent although they are the same: for who begins to listen. */
const repeatNodeIdsMs = 2000;

/** Tells on the bus which revision this gateway has, and which proxies have not ACKed it. A bus that is away gets the newest status later. */
export class StatusPublisher {
  readonly #options: StatusPublisherOptions;
  #sequence = 0;
  /** The version of the ids that were published last, and when. */
  #nodeIds: { readonly version: number; readonly atMs: number } | undefined;
  #pauseMs = coalesceMs;
  #timer: NodeJS.Timeout | undefined;
  #publishing: Promise<void> | undefined;
  #changed = false;
  #failing = false;
  #stopped = true;

  constructor(options: StatusPublisherOptions) {
    this.#options = options;
  }

  start(): void {
    this.#stopped = false;
    this.#arm(0);
  }

  /** Something that the status tells has changed. */
  changed(): void {
    if (this.#changed || this.#stopped) return;
    this.#changed = true;
    if (this.#publishing === undefined) this.#arm(this.#pauseMs);
  }

  /** Says that the gateway is leaving, and ends. */
  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#publishing;
    await this.#publish(true);
  }

  #arm(delayMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#changed = false;
      this.#publishing = this.#publish(false).finally(() => {
        this.#publishing = undefined;
        if (!this.#stopped) this.#arm(this.#changed ? this.#pauseMs : heartbeatMs);
      });
    }, delayMs);
  }

  async #publish(leaving: boolean): Promise<void> {
    const { bus, logger } = this.#options;
    const begin = performance.now();
    const status = this.#build(leaving);
    const message = {
      subject: subjects.proxyStatus,
      data: toBinary(GatewayStatusSchema, status),
      revision: Number(status.revision),
    };
    this.#pauseMs = pauseAfter(performance.now() - begin);
    try {
      await detached(() => bus.publish(message));
      if (this.#failing) logger.info("gateway status is published again");
      this.#failing = false;
    } catch (err) {
      this.#nodeIds = undefined;
      if (!this.#failing) logger.warn({ err }, "gateway status cannot be published; it goes out when the bus is back");
      this.#failing = true;
    }
  }

  #build(leaving: boolean): GatewayStatus {
    const facts = this.#options.read();
    const version = facts.nodeIdsVersion;
    const now = performance.now();
    const unchanged =
      this.#nodeIds?.version === version && now - this.#nodeIds.atMs < repeatNodeIdsMs - heartbeatMs / 2;
    if (!unchanged) this.#nodeIds = { version, atMs: now };
    return create(GatewayStatusSchema, {
      gatewayId: facts.gatewayId,
      debugUrl: facts.debugUrl,
      revision: BigInt(facts.revision),
      connected: facts.connected,
      pending: pendingMessages(facts.pending),
      sequence: BigInt(++this.#sequence),
      leaving,
      connectedNodes: unchanged ? [] : [...Iterator.from(facts.nodeIds).take(maxNodeIds)],
      connectedNodesUnchanged: unchanged,
      ...nackMessages(facts.refusals),
    });
  }
}

/** How long to wait after a status that took `costMs` to make. */
export function pauseAfter(costMs: number): number {
  return Math.min(maxPauseMs, Math.max(coalesceMs, costMs / maxShare));
}
