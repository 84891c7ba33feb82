import { field, varintField } from "./wire.ts";

/** The two protocols of ADS: state of the world, and delta. */
export type Variant = "sotw" | "delta";

/** What a request says beside its type. */
export interface RequestParts {
  /** In the first request of a stream. */
  readonly node?: Buffer | undefined;
  readonly version?: string | undefined;
  readonly nonce?: string | undefined;
  readonly refusal?: string | undefined;
  /** Encoded by `names`; what is subscribed to, in delta what is added. */
  readonly names?: Buffer | undefined;
  /** Encoded by `knownVersions`; delta only. */
  readonly known?: Buffer | undefined;
}

/** Field numbers of DiscoveryRequest and DeltaDiscoveryRequest, and of their responses. */
const numbers = {
  sotw: { version: 1, node: 2, names: 3, typeUrl: 4, nonce: 5, error: 6 },
  delta: { version: 0, node: 1, names: 3, typeUrl: 2, nonce: 6, error: 7 },
} as const;

const initialResourceVersions = 5;
const invalidArgument = 3;

export function path(variant: Variant): string {
  return `/envoy.service.discovery.v3.AggregatedDiscoveryService/${variant === "sotw" ? "Stream" : "Delta"}AggregatedResources`;
}

export function encodeNode(id: string): Buffer {
  return Buffer.concat([field(1, id), field(2, "load"), field(6, "fairlead-bench")]);
}

export function encodeNames(names: Iterable<string>): Buffer {
  return Buffer.concat([...names].map((name) => field(numbers.sotw.names, name)));
}

/** Rule 32: what a client holds already, on a new delta stream. */
export function encodeKnown(versions: ReadonlyMap<string, string>): Buffer {
  return Buffer.concat(
    [...versions].map(([name, version]) =>
      field(initialResourceVersions, Buffer.concat([field(1, name), field(2, version)])),
    ),
  );
}

/** @returns the request as a gRPC message: with its length before it */
export function encodeRequest(variant: Variant, typeUrl: string, parts: RequestParts): Buffer {
  const at = numbers[variant];
  const fields = [field(at.typeUrl, typeUrl)];
  if (parts.node !== undefined) fields.push(field(at.node, parts.node));
  if (parts.version !== undefined && variant === "sotw") fields.push(field(at.version, parts.version));
  if (parts.nonce !== undefined) fields.push(field(at.nonce, parts.nonce));
  if (parts.refusal !== undefined) {
    fields.push(field(at.error, Buffer.concat([varintField(1, invalidArgument), field(2, parts.refusal)])));
  }
  if (parts.names !== undefined) fields.push(parts.names);
  if (parts.known !== undefined && variant === "delta") fields.push(parts.known);
  const body = Buffer.concat(fields);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(body.byteLength, 1);
  return Buffer.concat([head, body]);
}
