import type { GatewayStatus } from "@fairlead/fairlead-api";

export interface LiveGateway {
  readonly status: GatewayStatus;
  readonly revision: number;
  readonly heardAtMs: number;
  /** Since when it has said that it is at this revision. */
  readonly atRevisionSinceMs: number;
}

const maxGateways = 1000;
const maxDeparted = 1000;

/** The gateways that were heard of lately, each with its newest status. */
export class LiveGateways {
  readonly #timeoutMs: number;
  readonly #live = new Map<string, LiveGateway>();
  /** The last sequence of those that are gone: what they said before may still arrive. The oldest are forgotten. */
  readonly #departed = new Map<string, bigint>();

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  /** @returns whether the status counts: it is neither late nor one gateway too many */
  take(status: GatewayStatus, nowMs: number): boolean {
    const { gatewayId: id, sequence } = status;
    const before = this.#live.get(id);
    const lastSequence = before?.status.sequence ?? this.#departed.get(id);
    if (lastSequence !== undefined && sequence <= lastSequence) return false;
    if (status.leaving) {
      this.#depart(id, sequence);
      return true;
    }
    if (before === undefined && this.#live.size >= maxGateways) return false;
    const revision = Number(status.revision);
    this.#departed.delete(id);
    this.#live.set(id, {
      status,
      revision,
      heardAtMs: nowMs,
      atRevisionSinceMs: before?.revision === revision ? before.atRevisionSinceMs : nowMs,
    });
    return true;
  }

  /** Forgets those that were not heard in time. @returns their ids */
  forgetSilent(nowMs: number): string[] {
    const silent = [...this.#live].filter(([, { heardAtMs }]) => nowMs - heardAtMs >= this.#timeoutMs);
    for (const [id, { status }] of silent) this.#depart(id, status.sequence);
    return silent.map(([id]) => id);
  }

  values(): LiveGateway[] {
    return [...this.#live.values()];
  }

  /** When the next one will have been silent for too long; undefined when there is none. */
  nextExpiryMs(): number | undefined {
    const heard = this.values().map(({ heardAtMs }) => heardAtMs);
    return heard.length === 0 ? undefined : Math.min(...heard) + this.#timeoutMs;
  }

  #depart(id: string, sequence: bigint): void {
    this.#live.delete(id);
    this.#departed.delete(id);
    this.#departed.set(id, sequence);
    const [oldest] = this.#departed.keys();
    if (this.#departed.size > maxDeparted && oldest !== undefined) this.#departed.delete(oldest);
  }
}
