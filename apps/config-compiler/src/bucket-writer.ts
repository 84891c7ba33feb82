import { createHash } from "node:crypto";
import type { KeyValue, KeyValueEntry, KeyValueWatch } from "@fairlead/bus";
import type { CompiledMesh } from "@fairlead/compile";
import { type PolicyObject, policyKey } from "@fairlead/model";
import {
  bucketKeyOf,
  type DecodedEntry,
  decodeEntry,
  encodeHead,
  encodeNode,
  encodeResource,
  encodeScope,
  headKey,
  isPolicyBucketKey,
  parseBucketKey,
  policyBucketKeyOf,
} from "@fairlead/snapshot";
import { decodePolicy, encodePolicy } from "./policy-entry.ts";

/** What the bucket is known to hold under a key. */
interface KnownEntry {
  /** Of the entry written with revision 0: tells whether the content differs, whatever revision it was written at. */
  readonly digest: string;
  readonly sequence: number;
}

interface PlannedEntry {
  readonly digest: string;
  /** @param revision the one that the content was last changed at */
  encode(revision: number): Uint8Array;
}

export interface CommitResult {
  readonly changedKeys: readonly string[];
  readonly removedKeys: readonly string[];
}

/** Writes under way at once: enough to hide the bus's round trip, few enough for its limits. */
const parallelWrites = 64;

function digestOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("base64");
}

function digestOfEntry(entry: Exclude<DecodedEntry, { kind: "head" }>): string {
  switch (entry.kind) {
    case "resource":
      return digestOf(encodeResource({ ...entry.value, revision: 0 }));
    case "scope":
      return digestOf(encodeScope(entry.value, 0));
    case "node":
      return digestOf(encodeNode(entry.value, 0));
  }
}

function plan(mesh: CompiledMesh): Map<string, PlannedEntry> {
  const planned = new Map<string, PlannedEntry>();
  const add = (key: string, encode: (revision: number) => Uint8Array) =>
    planned.set(key, { digest: digestOf(encode(0)), encode });
  for (const resource of mesh.resources.values()) {
    add(bucketKeyOf("resource", resource.key), (revision) => encodeResource({ ...resource, revision }));
  }
  for (const scope of mesh.scopes.values())
    add(bucketKeyOf("scope", scope.id), (revision) => encodeScope(scope, revision));
  for (const [key, policy] of mesh.policiesInForce) add(policyBucketKeyOf(key), () => encodePolicy(policy));
  for (const node of mesh.nodes.values())
    add(bucketKeyOf("node", node.nodeId), (revision) => encodeNode(node, revision));
  return planned;
}

/**
 * Keeps the bucket `fairlead_xds` equal to what was compiled: writes what differs, deletes what is gone, then `head`.
 *
 * It follows the bucket by a watch, so that a restart writes only what differs and a bucket that lost its data is filled again.
 */
export class BucketWriter {
  readonly #bucket: KeyValue;
  readonly #compilerId: string;
  readonly #known = new Map<string, KnownEntry>();
  readonly #policiesInForce = new Map<string, PolicyObject>();
  readonly #watch: KeyValueWatch;
  readonly #loaded = Promise.withResolvers<void>();
  readonly #onLost: () => void;
  #headRevision = 0;

  /** @param onLost called when the bucket lost what was written: commit again */
  constructor(bucket: KeyValue, compilerId: string, onLost: () => void) {
    this.#bucket = bucket;
    this.#onLost = onLost;
    this.#compilerId = compilerId;
    let restarted = false;
    this.#watch = bucket.watch({
      entry: (entry) => this.#follow(entry),
      snapshotComplete: () => {
        this.#loaded.resolve();
        if (restarted) onLost();
      },
      restarted: () => {
        restarted = true;
        this.#known.clear();
        this.#headRevision = 0;
      },
    });
  }

  /** Resolves once what the bucket holds is known. */
  get loaded(): Promise<void> {
    return this.#loaded.promise;
  }

  /** The policies that the bucket's routes follow, by key: what a compiler that has just started may fall back on. */
  get policiesInForce(): ReadonlyMap<string, PolicyObject> {
    return this.#policiesInForce;
  }

  /** The revision of the last commit that was seen in the bucket; 0 = none. */
  get headRevision(): number {
    return this.#headRevision;
  }

  /**
   * Makes the bucket hold `mesh` and commits it as `revision`. May be repeated after a failure: what was written stays.
   *
   * @param aborted no further write is begun once it is: another compiler may have taken over
   * @throws FairleadError FL_BUS_UNAVAILABLE
   */
  async commit(
    mesh: CompiledMesh,
    revision: number,
    traceparent: string | undefined,
    aborted: AbortSignal,
  ): Promise<CommitResult> {
    const planned = plan(mesh);
    const changedKeys = [...planned]
      .filter(([key, entry]) => this.#known.get(key)?.digest !== entry.digest)
      .map(([key]) => key);
    const removedKeys = [...this.#known.keys()].filter((key) => !planned.has(key));
    await this.#each(changedKeys, aborted, async (key) => {
      const entry = planned.get(key)!;
      const sequence = await this.#bucket.put(key, entry.encode(revision));
      this.#known.set(key, { digest: entry.digest, sequence });
    });
    await this.#each(removedKeys, aborted, async (key) => {
      const known = this.#known.get(key)!;
      // First, so that the echo is not taken for somebody else's.
      this.#known.delete(key);
      await this.#bucket.delete(key).catch((error: unknown) => {
        this.#known.set(key, known);
        throw error;
      });
    });
    aborted.throwIfAborted();
    await this.#bucket.put(
      headKey,
      encodeHead({ revision, traceparent, compiledAtMs: Date.now(), compilerId: this.#compilerId }),
    );
    this.#headRevision = revision;
    return { changedKeys, removedKeys };
  }

  async stop(): Promise<void> {
    await this.#watch.stop();
  }

  async #each(keys: readonly string[], aborted: AbortSignal, write: (key: string) => Promise<void>): Promise<void> {
    for (let index = 0; index < keys.length; index += parallelWrites) {
      aborted.throwIfAborted();
      await Promise.all(keys.slice(index, index + parallelWrites).map(write));
    }
  }

  #follow({ key, value, sequence }: KeyValueEntry): void {
    const parsed = parseBucketKey(key);
    if (parsed === undefined && !isPolicyBucketKey(key)) return;
    const known = this.#known.get(key);
    // The echo of a write of our own.
    if (known !== undefined && sequence <= known.sequence) return;
    if (value === undefined) {
      if (known === undefined) return;
      this.#known.delete(key);
      this.#onLost();
      return;
    }
    try {
      if (parsed === undefined) {
        const policy = decodePolicy(value);
        this.#policiesInForce.set(policyKey(policy), policy);
        this.#known.set(key, { digest: digestOf(value), sequence });
        return;
      }
      const entry = decodeEntry(parsed, value);
      if (entry.kind === "head") this.#headRevision = Number(entry.value.revision);
      else this.#known.set(key, { digest: digestOfEntry(entry), sequence });
    } catch {
      // Written by somebody else, or damaged: a digest that nothing has makes the next commit replace or delete it.
      this.#known.set(key, { digest: "", sequence });
    }
  }
}
