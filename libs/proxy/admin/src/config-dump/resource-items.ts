import { shortTypeName, typeUrls } from "@fairlead/envoy-api";
import { type ResourceInForce, resourceJson, type TypeInForce, type XdsRejection } from "@fairlead/proxy-runtime";
import type { AdsState, AdsTypeState } from "@fairlead/proxy-xds-client";
import type { DumpItem } from "./dump-section.ts";

/** What is said of one xDS type, in Envoy's words. */
export class ResourceItems {
  readonly inForce: readonly ResourceInForce[];
  readonly missing: readonly string[];
  readonly version: { readonly version_info?: string };
  readonly #typeUrl: string;
  readonly #ads: AdsTypeState | undefined;
  readonly #rejections: ReadonlyMap<string, XdsRejection>;

  constructor(typeUrl: string, types: readonly TypeInForce[], ads: AdsState) {
    const type = types.find((it) => it.typeUrl === typeUrl);
    this.#typeUrl = typeUrl;
    this.inForce = type?.resources ?? [];
    this.missing = type?.missing ?? [];
    this.#rejections = new Map(type?.rejections.map((rejection) => [rejection.name, rejection]));
    this.#ads = ads.types.find((it) => it.type === shortTypeName(typeUrl));
    this.version = this.#ads === undefined || this.#ads.version === "" ? {} : { version_info: this.#ads.version };
  }

  /** Names that were refused, and of which there is no version that could be used. */
  get refused(): readonly string[] {
    const known = new Set(this.inForce.map(({ name }) => name));
    return [...this.#rejections.keys()].filter((name) => !known.has(name));
  }

  /**
   * One that is in force: its version and time are those of the type's last response, as nothing is kept of each resource but its bytes.
   *
   * @param field where the message has the resource
   */
  found({ name, body }: ResourceInForce, field: string): DumpItem {
    return { name, json: () => ({ ...this.state(body, name, field), ...this.verdict(name) }) };
  }

  /** One of which there is nothing but the name. */
  nameOnly(name: string, field: string, verdict: object = this.verdict(name)): DumpItem {
    return { name, json: () => ({ [field]: this.#any(name), ...verdict }) };
  }

  /** Where and since when it is in force. */
  state(body: Uint8Array, name: string, field: string): object {
    const at = this.#ads?.updatedAtMs;
    const updated = at === undefined ? {} : { last_updated: timestamp(at) };
    try {
      return { ...this.version, [field]: this.#any(name, resourceJson(this.#typeUrl, body)), ...updated };
    } catch {
      // Something of others inside it, that they could read.
      return { ...this.version, [field]: this.#any(name), ...updated };
    }
  }

  verdict(name: string): object {
    const rejection = this.#rejections.get(name);
    if (rejection === undefined) return { client_status: "ACKED" };
    const nack = this.#ads?.lastNack;
    const attempt =
      nack === undefined
        ? {}
        : {
            last_update_attempt: timestamp(nack.atMs),
            ...(nack.version === "" ? {} : { version_info: nack.version }),
          };
    return { error_state: { ...attempt, details: rejection.reason }, client_status: "NACKED" };
  }

  #any(name: string, json: object = { [this.#typeUrl === typeUrls.endpoint ? "cluster_name" : "name"]: name }): object {
    return { "@type": this.#typeUrl, ...json };
  }
}

export const timestamp = (ms: number): string => new Date(ms).toISOString();
