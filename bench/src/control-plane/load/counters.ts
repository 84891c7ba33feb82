import { typeUrls } from "@fairlead/envoy-api";
import type { ResponseHead } from "./response.ts";

/** What the proxies of a load have seen, all together. */
export class Counters {
  streams = 0;
  /** Streams and connections of proxies that read, ended by the server. */
  lost = 0;
  /** Connections of proxies that never read, cut by the server. */
  cut = 0;
  responses = 0;
  /** Those with endpoints. */
  endpointResponses = 0;
  resources = 0;
  bytes = 0;
  acks = 0;
  nacks = 0;

  received({ typeUrl, resources }: ResponseHead, bytes: number): void {
    this.responses += 1;
    if (typeUrl === typeUrls.endpoint) this.endpointResponses += 1;
    this.resources += resources;
    this.bytes += bytes;
  }
}
