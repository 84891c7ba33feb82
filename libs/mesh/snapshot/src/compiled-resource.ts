/** Where a resource comes from: `key` is that of the catalogue. `file` and `line` only for policies. */
export interface ProvenanceEntry {
  readonly kind: "node" | "service" | "instance" | "subscription" | "policy";
  readonly key: string;
  readonly file?: string | undefined;
  readonly line?: number | undefined;
}

/**
 * One xDS resource, compiled and encoded once for the whole mesh. Never altered.
 *
 * `key` is unique in the mesh; `name` is what proxies see. They differ where one name has a content per
 * scope or node (`outbound`).
 */
export interface CompiledResource {
  readonly key: string;
  readonly typeUrl: string;
  readonly name: string;
  /** Hash of `body` (16 hex digits): equal content has an equal version everywhere and for ever. */
  readonly version: string;
  /** The registry revision that last changed the content. */
  readonly revision: number;
  /** The encoded message, the value of its Any. */
  readonly body: Uint8Array;
  /** Sent only to a stream that names it; not part of a wildcard. */
  readonly onDemand: boolean;
  readonly provenance: readonly ProvenanceEntry[];
}

/** The keys that every proxy of a scope holds. */
export interface ScopeView {
  readonly id: string;
  readonly keys: ReadonlySet<string>;
}

/** One proxy: its scope, and the keys that only it holds. An own key wins over a scope's key of equal type and name. */
export interface NodeView {
  readonly nodeId: string;
  readonly scopeId: string;
  readonly keys: ReadonlySet<string>;
}
