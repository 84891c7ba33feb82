import { fromBinary } from "@bufbuild/protobuf";
import {
  CompiledResourceSchema,
  type Head,
  HeadSchema,
  NodeViewSchema,
  type Provenance,
  ScopeViewSchema,
} from "@fairlead/fairlead-api";
import type { BucketKey } from "./bucket-layout.ts";
import { unpack } from "./packed.ts";
import type { CompiledResource, NodeView, ProvenanceEntry, ScopeView } from "./compiled-resource.ts";

/** What is stored under one bucket key. */
export type DecodedEntry =
  | { readonly kind: "resource"; readonly id: string; readonly value: CompiledResource }
  | { readonly kind: "scope"; readonly id: string; readonly value: ScopeView }
  | { readonly kind: "node"; readonly id: string; readonly value: NodeView }
  | { readonly kind: "head"; readonly value: Head };

const provenanceKinds = ["node", "service", "instance", "subscription", "policy"] as const;

function provenanceOf(entry: Provenance): ProvenanceEntry {
  const kind = provenanceKinds.find((known) => known === entry.kind);
  if (kind === undefined) throw new Error(`the provenance names the unknown kind ${JSON.stringify(entry.kind)}`);
  return {
    kind,
    key: entry.key,
    ...(entry.file === "" ? {} : { file: entry.file }),
    ...(entry.line === 0 ? {} : { line: entry.line }),
  };
}

function requireSameId(inKey: string, inValue: string): void {
  if (inKey !== inValue)
    throw new Error(`the entry names ${JSON.stringify(inValue)}, and its bucket key ${JSON.stringify(inKey)}`);
}

/** @throws Error when the bytes are no such message, or one that belongs under another key */
export function decodeEntry(key: BucketKey, stored: Uint8Array): DecodedEntry {
  const bytes = unpack(stored);
  switch (key.kind) {
    case "resource": {
      const message = fromBinary(CompiledResourceSchema, bytes);
      requireSameId(key.id, message.key);
      const { typeUrl, name, version } = message;
      if (typeUrl === "" || name === "" || version === "") throw new Error("the resource has no type, name or version");
      const value: CompiledResource = {
        key: message.key,
        typeUrl,
        name,
        version,
        revision: Number(message.revision),
        body: message.body,
        onDemand: message.onDemand,
        provenance: message.provenance.map(provenanceOf),
      };
      return { kind: "resource", id: key.id, value };
    }
    case "scope": {
      const message = fromBinary(ScopeViewSchema, bytes);
      requireSameId(key.id, message.id);
      return { kind: "scope", id: key.id, value: { id: message.id, keys: new Set(message.keys) } };
    }
    case "node": {
      const message = fromBinary(NodeViewSchema, bytes);
      requireSameId(key.id, message.nodeId);
      const { nodeId, scopeId, keys } = message;
      return { kind: "node", id: key.id, value: { nodeId, scopeId, keys: new Set(keys) } };
    }
    default:
      return { kind: "head", value: fromBinary(HeadSchema, bytes) };
  }
}
