import { compileString, type StringMatch } from "@fairlead/proxy-router";
import type { RequestHead, ResponseHead } from "@fairlead/proxy-stream";
import type { StreamFilter, StreamFilterCallbacks, StreamFilterFactory } from "../stream-filter.ts";

/** What pages of other origins may do (WHATWG Fetch, "CORS protocol"). */
export interface CorsSpec {
  readonly origins: readonly StringMatch[];
  /** Each a header's value as it is sent; "" for none. */
  readonly methods: string;
  readonly allowHeaders: string;
  readonly exposeHeaders: string;
  readonly maxAge: string;
  readonly credentials: boolean;
  readonly privateNetwork: boolean;
  /** A preflight of another origin goes to the host; false: it is answered 200 without permission. @default true */
  readonly forwardOthers: boolean;
  /** The share of requests, from 0 to 1, for which it is in force. @default 1 */
  readonly fraction: number;
}

export class CorsConfig {
  readonly spec: CorsSpec;
  readonly #origins: readonly ((origin: string) => boolean)[];

  /** @throws FairleadError FL_ROUTE_INVALID */
  constructor(spec: CorsSpec, where: string) {
    this.spec = spec;
    this.#origins = spec.origins.map((origin, i) => compileString(origin, `${where}allow_origin_string_match[${i}]`));
  }

  allows(origin: string): boolean {
    return this.#origins.some((matches) => matches(origin));
  }
}

/** Answers preflights and tells browsers which origins may read responses; routes say what is allowed. */
export function corsFilter(name: string): StreamFilterFactory {
  return (callbacks) => {
    const config = callbacks.override(name)?.config;
    return config instanceof CorsConfig ? new Cors(config, callbacks) : undefined;
  };
}

class Cors implements StreamFilter {
  readonly #config: CorsConfig;
  readonly #callbacks: StreamFilterCallbacks;
  /** Set when its page may read the response. */
  #origin: string | undefined;

  constructor(config: CorsConfig, callbacks: StreamFilterCallbacks) {
    this.#config = config;
    this.#callbacks = callbacks;
  }

  onRequestHead(head: RequestHead): "continue" | "stop" {
    const { spec } = this.#config;
    const origin = head.headers.get("origin");
    if (origin === undefined || origin === "") return "continue";
    if (spec.fraction < 1 && this.#callbacks.random() >= spec.fraction) return "continue";
    const preflight = head.method === "OPTIONS" && (head.headers.get("access-control-request-method") ?? "") !== "";
    if (!this.#config.allows(origin)) {
      this.#callbacks.count("cors.origin_invalid");
      if (!preflight || spec.forwardOthers) return "continue";
      this.#callbacks.sendLocalReply({ status: 200, body: "", details: "cors_response" });
      return "stop";
    }
    this.#callbacks.count("cors.origin_valid");
    if (!preflight) {
      this.#origin = origin;
      return "continue";
    }
    this.#callbacks.sendLocalReply({
      status: 200,
      body: "",
      details: "cors_response",
      headers: this.#preflightHeaders(origin, head),
    });
    return "stop";
  }

  onResponseHead(head: ResponseHead): void {
    if (this.#origin === undefined) return;
    const { spec } = this.#config;
    head.headers.set("access-control-allow-origin", this.#origin);
    if (spec.credentials) head.headers.set("access-control-allow-credentials", "true");
    if (spec.exposeHeaders !== "") head.headers.set("access-control-expose-headers", spec.exposeHeaders);
  }

  #preflightHeaders(origin: string, head: RequestHead): string[] {
    const { spec } = this.#config;
    const headers = ["access-control-allow-origin", origin];
    if (spec.credentials) headers.push("access-control-allow-credentials", "true");
    if (spec.methods !== "") headers.push("access-control-allow-methods", spec.methods);
    if (spec.allowHeaders !== "") headers.push("access-control-allow-headers", spec.allowHeaders);
    if (spec.maxAge !== "") headers.push("access-control-max-age", spec.maxAge);
    if (spec.privateNetwork && head.headers.get("access-control-request-private-network") === "true")
      headers.push("access-control-allow-private-network", "true");
    return headers;
  }
}
