import { fromBinary } from "@bufbuild/protobuf";
import { typeUrls } from "@fairlead/envoy-api";
import { DiscoveryResponseSchema } from "@fairlead/envoy-api/envoy/service/discovery/v3/discovery_pb.js";
import type { CompiledResource, ResourceView, TouchedNames } from "@fairlead/snapshot";
import type { DiscoveryStreamOptions } from "./discovery-stream.ts";
import { SotwStream } from "./sotw-stream.ts";

export const { cluster, endpoint, listener, route } = typeUrls;

export interface ResponseForTest {
  readonly typeUrl: string;
  readonly nonce: string;
  readonly versionInfo: string;
  readonly controlPlane: string | undefined;
  /** The bodies, which are `name@version` in these tests. */
  readonly bodies: readonly string[];
}

/**
 * For tests: a stream, the mesh that it serves, and its client. Resources are written `name@version`; a body says the same.
 */
export class StreamUnderTest {
  readonly stream: SotwStream;
  readonly #resources = new Map<string, CompiledResource>();
  now = 1_000_000;
  revision = 1;
  readonly #lastNonce = new Map<string, string>();

  constructor(options: Partial<DiscoveryStreamOptions> = {}) {
    this.stream = new SotwStream({ controlPlane: "gateway-1", noncePrefix: "s1", ...options });
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
      const [name = "", version = ""] = spec.replace("?", "").split("@");
      const body = Buffer.from(`${name}@${version}`);
      const onDemand = spec.endsWith("?");
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
    this.stream.announce(touched, this.revision, this.view, this.now);
  }

  /** A commit that is released at once. @returns what the client gets */
  change(changes: Readonly<Record<string, readonly string[]>>): ResponseForTest[] {
    this.announce(changes);
    this.stream.release();
    return this.take();
  }

  take(): ResponseForTest[] {
    return this.stream.take(this.view, this.now).map(({ bytes, ...outgoing }) => {
      const message = fromBinary(DiscoveryResponseSchema, bytes);
      if (message.nonce !== outgoing.nonce || message.versionInfo !== outgoing.versionInfo)
        throw new Error("bytes and fields differ");
      this.#lastNonce.set(message.typeUrl, message.nonce);
      for (const any of message.resources)
        if (any.typeUrl !== message.typeUrl) throw new Error("rule 6: another type in a response");
      return {
        typeUrl: message.typeUrl,
        nonce: message.nonce,
        versionInfo: message.versionInfo,
        controlPlane: message.controlPlane?.identifier,
        bodies: message.resources.map((any) => Buffer.from(any.value).toString()),
      };
    });
  }

  /** @returns what the request is answered with */
  request(typeUrl: string, names: readonly string[], nonce = "", errorDetail?: string): ResponseForTest[] {
    this.stream.request({ typeUrl, names, nonce, errorDetail }, this.view, this.revision, this.now);
    return this.take();
  }

  /** With the nonce of the last response of the type. */
  ack(typeUrl: string, names: readonly string[] = []): ResponseForTest[] {
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

export function bodies(responses: readonly ResponseForTest[]): (readonly string[])[] {
  return responses.map((response) => response.bodies);
}
