import type { CompiledResource, ProvenanceEntry } from "@fairlead/snapshot";
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

  add(outcome: RequestOutcome, nack: Nack): Refusal {
    const { typeUrl, refused = [], refusedResources = [], range } = outcome;
    const last = this.#byType.get(typeUrl);
    const refusal: Refusal = {
      ...nack,
      typeUrl,
      names: merged(refused.slice(0, maxNames), last?.names, (name) => name).slice(0, maxNames),
      provenance: merged(provenanceOf(refusedResources), last?.provenance, keyOf).sort(byRank).slice(0, maxProvenance),
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

const rank: Readonly<Partial<Record<ProvenanceEntry["kind"], number>>> = { policy: 0, service: 1 };
const byRank = (a: ProvenanceEntry, b: ProvenanceEntry) => (rank[a.kind] ?? 2) - (rank[b.kind] ?? 2);
const keyOf = ({ kind, key }: ProvenanceEntry) => `${kind} ${key}`;

/** By the list, which is one for all streams that refuse the same. */
const provenances = new WeakMap<readonly CompiledResource[], readonly ProvenanceEntry[]>();

function provenanceOf(resources: readonly CompiledResource[]): readonly ProvenanceEntry[] {
  let provenance = provenances.get(resources);
  if (provenance === undefined) {
    const entries = new Map<string, ProvenanceEntry>();
    for (const resource of resources) for (const entry of resource.provenance) entries.set(keyOf(entry), entry);
    provenance = [...entries.values()].sort(byRank).slice(0, maxProvenance);
    provenances.set(resources, provenance);
  }
  return provenance;
}

/** Both, each once. A new list. */
function merged<T>(newer: readonly T[], older: readonly T[] | undefined, key: (one: T) => string): T[] {
  if (older === undefined) return [...newer];
  return [...new Map([...newer, ...older].toReversed().map((one) => [key(one), one])).values()].toReversed();
}
