import { createHash } from "node:crypto";
import type { CompiledMesh, MeshDifference } from "@fairlead/compile";
import { type PolicyObject, policyKey } from "@fairlead/model";
import {
  bucketKeyOf,
  type CompiledResource,
  decodeEntry,
  encodeNode,
  encodeResource,
  encodeScope,
  isPolicyBucketKey,
  unpack,
  type NodeView,
  parseBucketKey,
  policyBucketKeyOf,
  type ScopeView,
} from "@fairlead/snapshot";
import { decodePolicy, encodePolicy } from "./policy-entry.ts";

/** What is to be in the bucket under a key. */
export interface BucketEntry {
  readonly key: string;
  /** @param revision the one that the content was last changed at */
  encode(revision: number): Uint8Array;
}

/** What is to be written of a mesh, and which keys are to go. */
export interface BucketChange {
  readonly entries: readonly BucketEntry[];
  readonly removedKeys: readonly string[];
}

export function entriesOfMesh({ resources, scopes, policiesInForce, nodes }: CompiledMesh): BucketEntry[] {
  return [
    ...[...resources.values()].map(resourceEntry),
    ...[...scopes.values()].map(scopeEntry),
    ...[...policiesInForce.values()].map(policyEntry),
    ...[...nodes.values()].map(nodeEntry),
  ];
}

export function changeOfDifference({ resources, scopes, policies, nodes }: MeshDifference): BucketChange {
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
    encode: (revision) => encodeResource({ ...resource, revision }),
  };
}

function scopeEntry(scope: ScopeView): BucketEntry {
  return { key: bucketKeyOf("scope", scope.id), encode: (revision) => encodeScope(scope, revision) };
}

function nodeEntry(node: NodeView): BucketEntry {
  return { key: bucketKeyOf("node", node.nodeId), encode: (revision) => encodeNode(node, revision) };
}

function policyEntry(policy: PolicyObject): BucketEntry {
  return { key: policyBucketKeyOf(policyKey(policy)), encode: () => encodePolicy(policy) };
}

/** Tells whether the content differs, whatever revision it was written at: of the entry with revision 0. */
export function digestOf(entry: BucketEntry): string {
  return digestOfBytes(entry.encode(0));
}

function digestOfBytes(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("base64");
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
        return { digest: digestOf(resourceEntry(entry.value)) };
      case "scope":
        return { digest: digestOf(scopeEntry(entry.value)) };
      case "node":
        return { digest: digestOf(nodeEntry(entry.value)) };
      default:
        return undefined;
    }
  } catch {
    // Written by somebody else, or damaged: a digest that nothing has makes the next commit replace or delete it.
    return { digest: "" };
  }
}
