import { create } from "@bufbuild/protobuf";
import {
  type DiscoveryRequest,
  DiscoveryRequestSchema,
  type DiscoveryResponse,
} from "@fairlead/envoy-api/envoy/service/discovery/v3/discovery_pb.js";
import { StatusSchema } from "@fairlead/envoy-api/google/rpc/status_pb.js";
import { shortTypeName } from "@fairlead/envoy-api";
import type { RejectedResource } from "./config-consumer.ts";

/** INTERNAL, as Envoy sends with a NACK. The code is arbitrary for servers. */
const nackCode = 13;
const maxNamedInNack = 20;
const maxReasonLength = 500;

/** One type's share of the client's state, for operators. */
export interface AdsTypeState {
  /** cds, eds, lds or rds. */
  readonly type: string;
  /** What is subscribed to on this stream; undefined = everything, empty = nothing. */
  readonly names: readonly string[] | undefined;
  /** The last version that was ACKed; empty before the first. */
  readonly version: string;
  /** The nonce of the last response on this stream; empty before the first. */
  readonly nonce: string;
  /** When the version was applied, in milliseconds since 1970; undefined before the first. */
  readonly updatedAtMs: number | undefined;
  readonly requests: number;
  readonly accepted: number;
  readonly rejected: number;
  /** Streams that ended while the type was asked for. */
  readonly failures: number;
  /** Waits for the first answer that were given up. */
  readonly initialFetchTimeouts: number;
  /** The last refusal; undefined after a later ACK. */
  readonly lastNack: { readonly version: string; readonly reason: string; readonly atMs: number } | undefined;
}

/** Names each resource with its reason, at a length that fits into a log line. */
export function nackReason(rejected: readonly RejectedResource[]): string {
  const named = rejected
    .slice(0, maxNamedInNack)
    .map(({ name, reason }) => `${name}: ${reason.slice(0, maxReasonLength)}`);
  const more = rejected.length - named.length;
  return more > 0 ? `${named.join("; ")}; and ${more} more` : named.join("; ");
}

function sameNames(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false;
  const names = new Set(a);
  return b.every((name) => names.has(name));
}

/**
 * The client's side of one type on an ADS stream (xDS protocol, "state of the world").
 *
 * Invariant: `version` is what is applied and outlives the stream; `nonce` and what was asked for belong to the stream.
 */
export class TypeSubscription {
  readonly typeUrl: string;
  readonly #now: () => number;
  #version = "";
  #nonce = "";
  /** What this stream was last told; undefined before its first request of the type. */
  #asked: { readonly names: readonly string[] | undefined } | undefined;
  #updatedAtMs: number | undefined;
  #lastNack: AdsTypeState["lastNack"];
  #requests = 0;
  #accepted = 0;
  #rejected = 0;
  #failures = 0;
  #initialFetchTimeouts = 0;

  constructor(typeUrl: string, now: () => number) {
    this.typeUrl = typeUrl;
    this.#now = now;
  }

  /** Whether the current stream asked for this type. */
  get isAsked(): boolean {
    return this.#asked !== undefined;
  }

  /** A new stream: the server knows nothing of what the one before was told. */
  beginStream(): void {
    this.#nonce = "";
    this.#asked = undefined;
  }

  /** The stream has ended. */
  endStream(): void {
    if (this.isAsked) this.#failures++;
  }

  giveUpFetch(): void {
    this.#initialFetchTimeouts++;
  }

  /** Notes a response of this stream as the newest: a request sent from now on carries its nonce. */
  receive(response: DiscoveryResponse): void {
    this.#nonce = response.nonce;
  }

  /**
   * The request that tells the stream what is wanted now; undefined when it knows.
   * @param names undefined = everything
   */
  subscribe(names: readonly string[] | undefined): DiscoveryRequest | undefined {
    if (this.#asked === undefined) {
      if (names?.length === 0) return undefined;
    } else if (sameNames(this.#asked.names ?? [], names ?? [])) {
      return undefined;
    }
    return this.#request(names);
  }

  /** Everything of the response is applied. */
  accept(response: DiscoveryResponse): void {
    this.#version = response.versionInfo;
    this.#updatedAtMs = this.#now();
    this.#lastNack = undefined;
    this.#accepted += 1;
  }

  ack(names: readonly string[] | undefined): DiscoveryRequest {
    return this.#request(names);
  }

  reject(response: DiscoveryResponse, rejected: readonly RejectedResource[]): void {
    this.#rejected += 1;
    this.#lastNack = { version: response.versionInfo, reason: nackReason(rejected), atMs: this.#now() };
  }

  /** The refusal noted by `reject`; its version is the old one. */
  nack(names: readonly string[] | undefined): DiscoveryRequest {
    const request = this.#request(names);
    request.errorDetail = create(StatusSchema, { code: nackCode, message: this.#lastNack?.reason ?? "" });
    return request;
  }

  state(): AdsTypeState {
    return {
      type: shortTypeName(this.typeUrl),
      names: this.#asked === undefined ? [] : this.#asked.names,
      version: this.#version,
      nonce: this.#nonce,
      updatedAtMs: this.#updatedAtMs,
      requests: this.#requests,
      accepted: this.#accepted,
      rejected: this.#rejected,
      failures: this.#failures,
      initialFetchTimeouts: this.#initialFetchTimeouts,
      lastNack: this.#lastNack,
    };
  }

  #request(names: readonly string[] | undefined): DiscoveryRequest {
    this.#requests += 1;
    this.#asked = { names };
    return create(DiscoveryRequestSchema, {
      typeUrl: this.typeUrl,
      versionInfo: this.#version,
      responseNonce: this.#nonce,
      resourceNames: [...(names ?? [])],
    });
  }
}
