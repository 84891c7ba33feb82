import type { ProvenanceEntry, ResourceView } from "@fairlead/snapshot";
import type { PendingOfType, RequestOutcome } from "@fairlead/xds-stream";

/** A response that a proxy refused, and what it was made of. */
export interface Refusal {
  readonly typeUrl: string;
  /** The resources that the proxy refuses. */
  readonly names: readonly string[];
  /** The proxy's words. */
  readonly reason: string;
  readonly nonce: string;
  readonly version: string;
  /** Ms since the epoch. */
  readonly atMs: number;
  /** What the resources were compiled from: policies first, as they are what people write. */
  readonly provenance: readonly ProvenanceEntry[];
  /** The registry revisions that the response carried. */
  readonly first: number;
  readonly last: number;
}

/** The NACK, as the proxy sent it. */
export interface Nack {
  readonly nonce: string;
  readonly version: string;
  readonly reason: string;
  readonly atMs: number;
}

const maxNames = 100;
const maxProvenance = 50;

/** The refusals of one stream that stand: one a type. A refusal ends when what was refused is replaced, taken or given up. */
export class Refusals {
  readonly #byType = new Map<string, Refusal>();

  /** The newest last. */
  get standing(): readonly Refusal[] {
    return [...this.#byType.values()];
  }

  of(typeUrl: string): Refusal | undefined {
    return this.#byType.get(typeUrl);
  }

  /** @param view of the proxy now: what was refused may have been replaced since it was sent, its origin is the same */
  add(outcome: RequestOutcome, nack: Nack, view: ResourceView): Refusal {
    const { typeUrl, refused = [], range } = outcome;
    const last = this.#byType.get(typeUrl);
    const names = [...new Set([...refused, ...(last?.names ?? [])])];
    const refusal: Refusal = {
      ...nack,
      typeUrl,
      names: names.slice(0, maxNames),
      provenance: provenanceOf(names, typeUrl, view),
      first: Math.min(range?.first ?? 0, last?.first ?? Infinity),
      last: Math.max(range?.last ?? 0, last?.last ?? 0),
    };
    this.#byType.delete(typeUrl);
    this.#byType.set(typeUrl, refusal);
    return refusal;
  }

  /** To be called after each answer of the proxy, with what it has not ACKed. */
  settle(pending: readonly PendingOfType[]): void {
    for (const typeUrl of this.#byType.keys()) {
      if (!pending.some((entry) => entry.typeUrl === typeUrl && entry.state === "NACKED")) this.#byType.delete(typeUrl);
    }
  }
}

function provenanceOf(names: readonly string[], typeUrl: string, view: ResourceView): ProvenanceEntry[] {
  const entries = new Map<string, ProvenanceEntry>();
  for (const name of names) {
    for (const entry of view.get(typeUrl, name)?.provenance ?? []) entries.set(`${entry.kind} ${entry.key}`, entry);
  }
  const rank = (entry: ProvenanceEntry) => (entry.kind === "policy" ? 0 : entry.kind === "service" ? 1 : 2);
  return [...entries.values()].sort((a, b) => rank(a) - rank(b)).slice(0, maxProvenance);
}
