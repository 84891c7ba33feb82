import { create } from "@bufbuild/protobuf";
import { AnySchema } from "@bufbuild/protobuf/wkt";
import {
  type DeltaDiscoveryRequest,
  DeltaDiscoveryRequestSchema,
  type DeltaDiscoveryResponse,
  type DiscoveryRequest,
  type DiscoveryResponse,
  DiscoveryResponseSchema,
} from "@fairlead/envoy-api/envoy/service/discovery/v3/discovery_pb.js";
import { typeUrls } from "@fairlead/envoy-api";

/** In these types what is missing in a response is gone: a response must have all there is. */
const fullTypes: readonly string[] = [typeUrls.cluster, typeUrls.listener];

interface Held {
  readonly version: string;
  readonly body: Uint8Array;
}

/**
 * One type in the incremental variant, told to a client that thinks in states of the world.
 *
 * What is applied outlives the stream: the next one tells the gateway the versions, and gets only what has changed.
 */
export class DeltaTypeState {
  readonly #typeUrl: string;
  #held = new Map<string, Held>();
  /** What the last response makes of `#held`, until it is answered. */
  #candidate:
    { readonly held: Map<string, Held>; readonly changed: ReadonlySet<string>; readonly nonce: string } | undefined;
  /** What the stream was asked for; undefined before its first request. */
  #asked: Set<string> | undefined;

  constructor(typeUrl: string) {
    this.#typeUrl = typeUrl;
  }

  beginStream(): void {
    this.#asked = undefined;
    this.#candidate = undefined;
  }

  /** @param rejected names of resources of the response that is answered which were not applied */
  toDelta(request: DiscoveryRequest, rejected: readonly string[]): DeltaDiscoveryRequest {
    const wanted = new Set(request.resourceNames);
    const first = this.#asked === undefined;
    const before = this.#asked ?? new Set<string>();
    this.#asked = wanted;
    const unsubscribe = [...before].filter((name) => !wanted.has(name));
    const answers = this.#settle(request, rejected);
    for (const name of unsubscribe) this.#held.delete(name);
    if (first && wanted.size > 0) for (const name of this.#held.keys()) if (!wanted.has(name)) this.#held.delete(name);
    return create(DeltaDiscoveryRequestSchema, {
      ...(request.node === undefined ? {} : { node: request.node }),
      typeUrl: this.#typeUrl,
      resourceNamesSubscribe: [...wanted].filter((name) => !before.has(name)),
      resourceNamesUnsubscribe: unsubscribe,
      initialResourceVersions: first ? this.#versions() : {},
      // Only the answer to a response carries its nonce; other requests may come at any time.
      ...(answers ? { responseNonce: request.responseNonce } : {}),
      ...(answers && request.errorDetail !== undefined ? { errorDetail: request.errorDetail } : {}),
    });
  }

  fromDelta(response: DeltaDiscoveryResponse): DiscoveryResponse {
    const held = new Map(this.#held);
    const changed = new Set<string>();
    for (const name of response.removedResources) held.delete(name);
    for (const { name, version, resource } of response.resources) {
      changed.add(name);
      held.set(name, { version, body: resource?.value ?? new Uint8Array() });
    }
    this.#candidate = { held, changed, nonce: response.nonce };
    const told = fullTypes.includes(this.#typeUrl) ? held : new Map([...held].filter(([name]) => changed.has(name)));
    return create(DiscoveryResponseSchema, {
      typeUrl: this.#typeUrl,
      versionInfo: response.systemVersionInfo,
      nonce: response.nonce,
      resources: [...told.values()].map(({ body }) => create(AnySchema, { typeUrl: this.#typeUrl, value: body })),
      ...(response.controlPlane === undefined ? {} : { controlPlane: response.controlPlane }),
    });
  }

  /**
   * One cluster is asked for anew: a gateway has nothing to answer on a stream on which nothing has changed, and would look
   * like one that does not answer.
   */
  #versions(): Record<string, string> {
    const versions = Object.fromEntries([...this.#held].map(([name, { version }]) => [name, version]));
    const [any] = this.#held.keys();
    if (this.#typeUrl === typeUrls.cluster && any !== undefined) versions[any] = "";
    return versions;
  }

  /** @returns whether the request answers the last response */
  #settle(request: DiscoveryRequest, rejected: readonly string[]): boolean {
    const candidate = this.#candidate;
    if (candidate === undefined || candidate.nonce !== request.responseNonce) return false;
    this.#candidate = undefined;
    const { held } = candidate;
    // A response of which nothing could be read names none of its resources: nothing of it was applied.
    const nothing = request.errorDetail !== undefined && !rejected.some((name) => held.has(name));
    if (nothing) return true;
    for (const name of rejected) {
      // The last good one stays in force; without one the name is not held, and comes again on the next stream.
      const good = this.#held.get(name);
      if (good === undefined) held.delete(name);
      else held.set(name, { version: "", body: good.body });
    }
    this.#held = held;
    return true;
  }
}
