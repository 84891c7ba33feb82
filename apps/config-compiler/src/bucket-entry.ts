import { hash } from "node:crypto";
import type { MeshDifference } from "@fairlead/compile";
import { type PolicyObject, policyKey } from "@fairlead/model";
import {
  bucketKeyOf,
  type CompiledResource,
  decodeEntry,
  encodeNode,
  encodeResource,
  encodeRevision,
  encodeScope,
  isPolicyBucketKey,
  unpack,
  type NodeView,
  parseBucketKey,
  policyBucketKeyOf,
  type ProvenanceEntry,
  type ScopeView,
} from "@fairlead/snapshot";
import { decodePolicy, encodePolicy } from "./policy-entry.ts";

/** What is to be in the bucket under a key. */
export interface BucketEntry {
  readonly key: string;
  /** What has a revision; undefined for a policy, which has none. */
  readonly kind: "resource" | "scope" | "node" | undefined;
  /** The content: without a revision. */
  readonly encode: () => Uint8Array;
  /** What it was made of. */
  readonly provenance: readonly ProvenanceEntry[];
  /** What it is the entry of, where that is a policy in force. */
  readonly policy?: PolicyObject;
}

/** With what tells whether the content differs, whatever revision it was written at. */
export interface DigestedEntry extends BucketEntry {
  readonly digest: string;
}

/** What is to be written of a mesh, and which keys are to go. */
export interface BucketChange {
  readonly entries: readonly DigestedEntry[];
  readonly removedKeys: readonly string[];
}

export function changeOfDifference({ resources, scopes, policies, nodes }: MeshDifference): {
  readonly entries: readonly BucketEntry[];
  readonly removedKeys: readonly string[];
} {
  return {
    entries: [
      ...resources.changed.map(resourceEntry),
      ...scopes.changed.map(scopeEntry),
      ...policies.changed.map(policyEntry),
      ...nodes.changed.map(nodeEntry),
    ],
    removedKeys: [
      ...resources.removed.map((key) => bucketKeyOf("resource", key)),
      ...scopes.removed.map((id) => bucketKeyOf("scope", id)),
      ...policies.removed.map(policyBucketKeyOf),
      ...nodes.removed.map((id) => bucketKeyOf("node", id)),
    ],
  };
}

function resourceEntry(resource: CompiledResource): BucketEntry {
  return {
    key: bucketKeyOf("resource", resource.key),
    kind: "resource",
    encode: () => encodeResource({ ...resource, revision: 0 }),
    provenance: resource.provenance,
  };
}

function scopeEntry(scope: ScopeView): BucketEntry {
  return {
    key: bucketKeyOf("scope", scope.id),
    kind: "scope",
    encode: () => encodeScope(scope, 0),
    provenance: [{ kind: "subscription", key: scope.id }],
  };
}

function nodeEntry(node: NodeView): BucketEntry {
  return {
    key: bucketKeyOf("node", node.nodeId),
    kind: "node",
    encode: () => encodeNode(node, 0),
    provenance: [{ kind: "node", key: node.nodeId }],
  };
}

function policyEntry(policy: PolicyObject): BucketEntry {
  const { file, line } = policy;
  const key = policyKey(policy);
  return {
    key: policyBucketKeyOf(key),
    kind: undefined,
    encode: () => encodePolicy(policy),
    provenance: [{ kind: "policy", key, file, line }],
    policy,
  };
}

/** The digest is that of the content. @param content of the entry */
export function digested(entry: BucketEntry, content = entry.encode()): DigestedEntry {
  return { ...entry, digest: digestOfBytes(content) };
}

/** @returns what makes an entry's content what is stored of it at a revision, which is that of its last change */
export function stampOf(revision: number): (entry: BucketEntry) => Uint8Array {
  const stamps = {
    resource: encodeRevision("resource", revision),
    scope: encodeRevision("scope", revision),
    node: encodeRevision("node", revision),
  };
  return ({ kind, encode }) => (kind === undefined ? encode() : Buffer.concat([encode(), stamps[kind]]));
}

function digestOfBytes(bytes: Uint8Array): string {
  return hash("sha256", bytes, "base64");
}

/** What was found in the bucket. */
export interface StoredEntry {
  readonly digest: string;
  readonly policy?: PolicyObject;
}

/** @returns undefined for a key that is not a compiler's business */
export function readStored(key: string, value: Uint8Array): StoredEntry | undefined {
  const parsed = parseBucketKey(key);
  if (parsed?.kind === "head") return undefined;
  try {
    if (parsed === undefined) {
      if (!isPolicyBucketKey(key)) return undefined;
      const bytes = unpack(value);
      return { digest: digestOfBytes(bytes), policy: decodePolicy(bytes) };
    }
    const entry = decodeEntry(parsed, value);
    switch (entry.kind) {
      case "resource":
        return { digest: digested(resourceEntry(entry.value)).digest };
      case "scope":
        return { digest: digested(scopeEntry(entry.value)).digest };
      case "node":
        return { digest: digested(nodeEntry(entry.value)).digest };
      default:
        return undefined;
    }
  } catch {
    // Written by somebody else, or damaged: a digest that nothing has makes the next commit replace or delete it.
    return { digest: "" };
  }
}
