import { create, toBinary } from "@bufbuild/protobuf";
import { CompiledResourceSchema, HeadSchema, NodeViewSchema, ScopeViewSchema } from "@fairlead/fairlead-api";
import type { CompiledResource, NodeView, ScopeView } from "./compiled-resource.ts";

// Keys are sorted: equal content gives equal bytes, so that a writer can tell what has changed.

export function encodeResource(resource: CompiledResource): Uint8Array {
  const { key, typeUrl, name, version, body, onDemand, provenance } = resource;
  return toBinary(
    CompiledResourceSchema,
    create(CompiledResourceSchema, {
      key,
      typeUrl,
      name,
      version,
      revision: BigInt(resource.revision),
      body,
      onDemand,
      provenance: provenance.map((entry) => ({
        kind: entry.kind,
        key: entry.key,
        file: entry.file ?? "",
        line: entry.line ?? 0,
      })),
    }),
  );
}

export function encodeScope(scope: ScopeView, revision: number): Uint8Array {
  return toBinary(
    ScopeViewSchema,
    create(ScopeViewSchema, { id: scope.id, keys: [...scope.keys].toSorted(), revision: BigInt(revision) }),
  );
}

export function encodeNode(node: NodeView, revision: number): Uint8Array {
  const { nodeId, scopeId, keys } = node;
  return toBinary(
    NodeViewSchema,
    create(NodeViewSchema, { nodeId, scopeId, keys: [...keys].toSorted(), revision: BigInt(revision) }),
  );
}

const stampedSchemas = { resource: CompiledResourceSchema, scope: ScopeViewSchema, node: NodeViewSchema } as const;

/**
 * The revision of an entry, to be written behind one that was encoded with revision 0: messages behind each other are one, merged, so that an
 * entry whose content is compared before it is written is encoded once.
 */
export function encodeRevision(kind: keyof typeof stampedSchemas, revision: number): Uint8Array {
  const schema = stampedSchemas[kind];
  return toBinary(schema, create(schema, { revision: BigInt(revision) }));
}

/** The commit: all entries written before it belong to `revision`. */
export function encodeHead(head: {
  revision: number;
  traceparent: string | undefined;
  compiledAtMs: number;
  compilerId: string;
}): Uint8Array {
  return toBinary(
    HeadSchema,
    create(HeadSchema, {
      revision: BigInt(head.revision),
      traceparent: head.traceparent ?? "",
      compiledAtMs: BigInt(head.compiledAtMs),
      compilerId: head.compilerId,
    }),
  );
}
