import { type GatewayStatus, PendingProxy_State } from "@fairlead/fairlead-api";
import { shortTypeName } from "@fairlead/envoy-api";
import type { Refusal } from "@fairlead/registration";
import { refusalOf } from "./refusal.ts";

export interface RefusalHistoryOptions {
  /** Milliseconds since 1970. @default Date.now */
  readonly now?: () => number;
  /** What a gateway said counts as over when it was not heard for this long. @default 5000 */
  readonly gatewayTimeoutMs?: number;
  /** Refusals that are over and kept; the oldest are forgotten. @default 1000 */
  readonly maxEnded?: number;
  /** Called once for each refusal; `repeated`: the proxy refused the type with the same words just before. */
  readonly onRefused?: (refusal: Refusal, repeated: boolean) => void;
}

/** What one gateway's statuses say that stands. */
interface GatewayRefusals {
  heardAtMs: number;
  /** By node and type. */
  standing: Map<string, Refusal>;
}

/** Of all gateways, in one status; each may hold some hundred. */
const maxStanding = 20_000;

/** What proxies refused: what stands, as gateways tell it every second, and what is over. */
export class RefusalHistory {
  readonly #now: () => number;
  readonly #gatewayTimeoutMs: number;
  readonly #maxEnded: number;
  readonly #onRefused: (refusal: Refusal, repeated: boolean) => void;
  readonly #gateways = new Map<string, GatewayRefusals>();
  /** The oldest first. */
  readonly #ended: Refusal[] = [];

  constructor({ now = Date.now, gatewayTimeoutMs = 5000, maxEnded = 1000, onRefused }: RefusalHistoryOptions = {}) {
    this.#now = now;
    this.#gatewayTimeoutMs = gatewayTimeoutMs;
    this.#maxEnded = maxEnded;
    this.#onRefused = onRefused ?? (() => undefined);
  }

  /** @param status that is not late: they come in order */
  take(status: GatewayStatus): void {
    const { gatewayId: id } = status;
    const before = this.#gateways.get(id)?.standing ?? new Map<string, Refusal>();
    const standing = status.leaving ? new Map<string, Refusal>() : this.#standing(status, before);
    for (const [key, refusal] of before) {
      const now = standing.get(key);
      if (now === undefined || !isSame(now, refusal)) this.#end(refusal);
    }
    for (const [key, refusal] of standing) {
      const known = before.get(key);
      if (known === undefined || !isSame(known, refusal)) this.#onRefused(refusal, known?.reason === refusal.reason);
    }
    if (status.leaving) this.#gateways.delete(id);
    else this.#gateways.set(id, { heardAtMs: this.#now(), standing });
  }

  /** Those that stand, the newest first. */
  get standing(): Refusal[] {
    this.#forgetSilent();
    return [...this.#gateways.values()].flatMap(({ standing }) => [...standing.values()]).toSorted(newestFirst);
  }

  /** Those that are over, the newest first. */
  get ended(): Refusal[] {
    this.#forgetSilent();
    return this.#ended.toSorted(newestFirst);
  }

  /** What a node refuses of a type now. */
  of(node: string, type: string): Refusal | undefined {
    for (const { standing } of this.#gateways.values()) {
      const refusal = standing.get(keyOf(node, type));
      if (refusal !== undefined) return refusal;
    }
    return undefined;
  }

  #standing(status: GatewayStatus, before: ReadonlyMap<string, Refusal>): Map<string, Refusal> {
    const standing = new Map<string, Refusal>();
    const room =
      maxStanding - [...this.#gateways.values()].reduce((sum, other) => sum + other.standing.size, 0) + before.size;
    for (const nack of status.nacks.slice(0, Math.max(0, room))) {
      const refusal = refusalOf(nack, status.gatewayId);
      standing.set(keyOf(refusal.node, refusal.type), refusal);
    }
    if (status.nacksLeftOut === 0) return standing;
    // What the message had no room for stands as long as the proxy has not taken the type.
    for (const { state, nodeId, typeUrl } of status.pending) {
      const key = keyOf(nodeId, shortTypeName(typeUrl));
      const known = before.get(key);
      if (state === PendingProxy_State.NACKED && known !== undefined && !standing.has(key)) standing.set(key, known);
    }
    return standing;
  }

  #forgetSilent(): void {
    const now = this.#now();
    for (const [id, { heardAtMs, standing }] of this.#gateways) {
      if (now - heardAtMs < this.#gatewayTimeoutMs) continue;
      for (const refusal of standing.values()) this.#end(refusal);
      this.#gateways.delete(id);
    }
  }

  #end(refusal: Refusal): void {
    this.#ended.push({ ...refusal, endedMs: this.#now() });
    if (this.#ended.length > this.#maxEnded) this.#ended.shift();
  }
}

function keyOf(node: string, type: string): string {
  return `${type} ${node}`;
}

/** A response that is refused again has another nonce. */
function isSame(a: Refusal, b: Refusal): boolean {
  return a.nonce === b.nonce && a.sinceMs === b.sinceMs;
}

function newestFirst(a: Refusal, b: Refusal): number {
  return b.sinceMs - a.sinceMs;
}
