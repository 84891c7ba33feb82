import type { GatewayStatus } from "@fairlead/fairlead-api";

export interface LiveGateway {
  readonly status: GatewayStatus;
  readonly revision: number;
  readonly heardAtMs: number;
  /** Since when it has said that it is at this revision. */
  readonly atRevisionSinceMs: number;
  /** Undefined until it has told them. */
  readonly nodes: ReadonlySet<string> | undefined;
}

const maxGateways = 1000;
const maxDeparted = 1000;
const maxClosed = 20_000;

/** The gateways that were heard of lately, each with its newest status. */
export class LiveGateways {
  readonly #timeoutMs: number;
  readonly #live = new Map<string, LiveGateway>();
  /** The last sequence of those that are gone: what they said before may still arrive. The oldest are forgotten. */
  readonly #departed = new Map<string, bigint>();
  /** When a live gateway said that a node is no longer connected to it. The oldest are forgotten. */
  readonly #closedAtMs = new Map<string, number>();

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
    const nodes = status.connectedNodesUnchanged ? before?.nodes : new Set(status.connectedNodes);
    if (nodes !== before?.nodes) this.#noteClosed(before?.nodes, nodes, nowMs);
    this.#departed.delete(id);
    this.#live.set(id, {
      status,
      revision,
      heardAtMs: nowMs,
      atRevisionSinceMs: before?.revision === revision ? before.atRevisionSinceMs : nowMs,
      nodes,
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

  /** Whether all live gateways have told who is connected to them. */
  get knowsAllNodes(): boolean {
    return this.values().every(({ nodes }) => nodes !== undefined);
  }

  isConnected(nodeId: string): boolean {
    return this.values().some(({ nodes }) => nodes?.has(nodeId) === true);
  }

  /** When a gateway that stayed saw the node's connection end; undefined when none did, as where the gateway itself went away. */
  closedAtMs(nodeId: string): number | undefined {
    return this.#closedAtMs.get(nodeId);
  }

  #noteClosed(before: ReadonlySet<string> | undefined, now: ReadonlySet<string> | undefined, nowMs: number): void {
    for (const nodeId of now ?? []) this.#closedAtMs.delete(nodeId);
    for (const nodeId of before ?? []) {
      if (now?.has(nodeId) === true) continue;
      this.#closedAtMs.delete(nodeId);
      this.#closedAtMs.set(nodeId, nowMs);
    }
    for (const nodeId of this.#closedAtMs.keys()) {
      if (this.#closedAtMs.size <= maxClosed) break;
      this.#closedAtMs.delete(nodeId);
    }
  }

  #depart(id: string, sequence: bigint): void {
    this.#live.delete(id);
    this.#departed.delete(id);
    this.#departed.set(id, sequence);
    const [oldest] = this.#departed.keys();
    if (this.#departed.size > maxDeparted && oldest !== undefined) this.#departed.delete(oldest);
  }
}
