import assert from "node:assert/strict";
import { fromBinary } from "@bufbuild/protobuf";
import { typeUrls } from "@fairlead/envoy-api";
import {
  DeltaDiscoveryResponseSchema,
  DiscoveryResponseSchema,
} from "@fairlead/envoy-api/envoy/service/discovery/v3/discovery_pb.js";
import type { CompiledResource, ResourceView, TouchedNames } from "@fairlead/snapshot";
import { DeltaStream } from "./delta-stream.ts";
import type { DiscoveryStream, DiscoveryStreamOptions, OutgoingResponse, StreamRequest } from "./discovery-stream.ts";
import { SotwStream } from "./sotw-stream.ts";

export const { cluster, endpoint, listener, route } = typeUrls;

export interface ResponseForTest {
  readonly typeUrl: string;
  readonly nonce: string;
  readonly versionInfo: string;
  readonly controlPlane: string | undefined;
  /** The bodies, which are `name@version` in these tests. */
  readonly bodies: readonly string[];
  /** Delta only. */
  readonly removed: readonly string[];
}

/**
 * For tests: a stream, the mesh that it serves, and its client. Resources are written `name@version`; a body says the same.
 */
export class StreamUnderTest {
  readonly stream: DiscoveryStream;
  readonly variant: "sotw" | "delta";
  readonly #resources = new Map<string, CompiledResource>();
  now = 1_000_000;
  revision = 1;
  readonly #lastNonce = new Map<string, string>();
  /** Delta: what the client has subscribed to. */
  readonly #names = new Map<string, ReadonlySet<string>>();

  constructor(options: Partial<DiscoveryStreamOptions> & { readonly variant?: "sotw" | "delta" } = {}) {
    const { variant = "sotw", ...rest } = options;
    this.variant = variant;
    const all = { controlPlane: "gateway-1", noncePrefix: "s1", ...rest };
    this.stream = variant === "sotw" ? new SotwStream(all) : new DeltaStream(all);
  }

  readonly view: ResourceView = {
    nodeId: "n",
    scopeId: "everything",
    registered: true,
    resources: (typeUrl) => this.#list(typeUrl),
    all: (typeUrl) => [...this.#resources.values()].filter((resource) => resource.typeUrl === typeUrl),
    get: (typeUrl, name) => this.#resources.get(`${typeUrl} ${name}`),
  };

  #list(typeUrl: string): readonly CompiledResource[] {
    return [...this.#resources.values()]
      .filter((resource) => resource.typeUrl === typeUrl && !resource.onDemand)
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Brings resources into the mesh without telling the stream. `-name` removes one, `name@version?` makes it on demand. */
  set(typeUrl: string, ...specs: readonly string[]): TouchedNames {
    const names = new Set<string>();
    for (const spec of specs) {
      if (spec.startsWith("-")) {
        this.#resources.delete(`${typeUrl} ${spec.slice(1)}`);
        names.add(spec.slice(1));
        continue;
      }
      const onDemand = spec.endsWith("?");
      const [name = "", version = ""] = (onDemand ? spec.slice(0, -1) : spec).split("@");
      const body = Buffer.from(`${name}@${version}`);
      const resource = {
        key: `${typeUrl} ${name}`,
        typeUrl,
        name,
        version,
        body,
        onDemand,
        revision: this.revision,
        provenance: [],
      };
      this.#resources.set(resource.key, resource);
      names.add(name);
    }
    return new Map([[typeUrl, names]]);
  }

  /** One commit: types to the specs of `set`. */
  announce(changes: Readonly<Record<string, readonly string[]>>): void {
    this.revision++;
    const touched = new Map<string, ReadonlySet<string>>();
    for (const [typeUrl, specs] of Object.entries(changes)) {
      for (const [type, names] of this.set(typeUrl, ...specs)) touched.set(type, names);
    }
    this.stream.announce(touched, { first: this.revision, last: this.revision }, this.view, this.now);
  }

  /** A commit that is released at once. @returns what the client gets */
  change(changes: Readonly<Record<string, readonly string[]>>): ResponseForTest[] {
    this.announce(changes);
    this.stream.release();
    return this.take();
  }

  take(): ResponseForTest[] {
    return this.stream.take(this.view, this.now).map((outgoing) => {
      const response = this.variant === "sotw" ? sotwResponse(outgoing) : deltaResponse(outgoing);
      if (response.nonce !== outgoing.nonce || response.versionInfo !== outgoing.versionInfo)
        throw new Error("bytes and fields differ");
      this.#lastNonce.set(response.typeUrl, response.nonce);
      return response;
    });
  }

  /** As it is. @returns what the request is answered with */
  send(request: Partial<StreamRequest> & { readonly typeUrl: string }): ResponseForTest[] {
    this.stream.request({ names: [], nonce: "", ...request }, this.view, this.revision, this.now);
    return this.take();
  }

  /** @param names all that the client wants from now on; in delta the difference is sent @returns what the request is answered with */
  request(typeUrl: string, names: readonly string[], nonce = "", errorDetail?: string): ResponseForTest[] {
    if (this.variant === "sotw") return this.send({ typeUrl, names, nonce, errorDetail });
    const last = this.#names.get(typeUrl) ?? new Set();
    const next = new Set(names);
    this.#names.set(typeUrl, next);
    return this.send({
      typeUrl,
      names: [...next].filter((name) => !last.has(name)),
      unsubscribed: [...last].filter((name) => !next.has(name)),
      nonce,
      errorDetail,
    });
  }

  /** With the nonce of the last response of the type. Without names: in delta they stay, in state of the world there are none. */
  ack(typeUrl: string, names?: readonly string[]): ResponseForTest[] {
    const nonce = this.#lastNonce.get(typeUrl) ?? "";
    if (names === undefined) return this.send({ typeUrl, nonce });
    return this.request(typeUrl, names, this.#lastNonce.get(typeUrl));
  }

  nack(typeUrl: string, names: readonly string[], reason: string): ResponseForTest[] {
    return this.request(typeUrl, names, this.#lastNonce.get(typeUrl), reason);
  }

  stateOf(typeUrl: string): string | undefined {
    return this.stream.status().find((type) => type.typeUrl === typeUrl)?.state;
  }

  /** `SENT 3-4`, sorted. */
  pendingOf(typeUrl: string): string[] {
    return this.stream
      .pending()
      .filter((entry) => entry.typeUrl === typeUrl)
      .map((entry) => `${entry.state} ${entry.first}-${entry.last}`)
      .sort();
  }
}

function sotwResponse({ bytes }: OutgoingResponse): ResponseForTest {
  const { typeUrl, nonce, versionInfo, controlPlane, resources } = fromBinary(DiscoveryResponseSchema, bytes);
  if (resources.some((any) => any.typeUrl !== typeUrl)) throw new Error("rule 6: another type in a response");
  const contents = resources.map((any) => Buffer.from(any.value).toString());
  return { typeUrl, nonce, versionInfo, controlPlane: controlPlane?.identifier, bodies: contents, removed: [] };
}

function deltaResponse({ bytes }: OutgoingResponse): ResponseForTest {
  const message = fromBinary(DeltaDiscoveryResponseSchema, bytes);
  const { typeUrl, nonce, systemVersionInfo: versionInfo, controlPlane, resources, removedResources } = message;
  const names = new Set(removedResources);
  for (const { name, version, resource } of resources) {
    if (resource?.typeUrl !== typeUrl) throw new Error("rule 6: another type in a response");
    if (names.has(name)) throw new Error(`rule 58: ${name} is in the response twice`);
    names.add(name);
    if (Buffer.from(resource.value).toString() !== `${name}@${version}`) throw new Error("body and version differ");
  }
  if (names.size !== resources.length + removedResources.length) throw new Error("rule 58: a name is removed twice");
  const contents = resources.map(({ name, version }) => `${name}@${version}`);
  const identifier = controlPlane?.identifier;
  return { typeUrl, nonce, versionInfo, controlPlane: identifier, bodies: contents, removed: removedResources };
}

export function bodies(responses: readonly ResponseForTest[]): (readonly string[])[] {
  return responses.map((response) => response.bodies);
}

/** A client that has all four types and has ACKed them. */
export function connectedStream(variant: "sotw" | "delta"): StreamUnderTest {
  const t = new StreamUnderTest({ variant });
  t.set(cluster, "a@1");
  t.set(endpoint, "a@1");
  t.set(listener, "l@1");
  t.set(route, "r@a");
  t.request(cluster, []);
  t.request(endpoint, ["a"]);
  t.request(listener, []);
  t.request(route, ["r"]);
  t.ack(cluster);
  t.ack(endpoint, ["a"]);
  t.ack(listener);
  t.ack(route, ["r"]);
  assert.deepEqual(t.stream.pending(), []);
  return t;
}
