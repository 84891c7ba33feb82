import { create, type JsonObject } from "@bufbuild/protobuf";
import { type Node, NodeSchema } from "@fairlead/envoy-api/envoy/config/core/v3/base_pb.js";
import type { AdsLogger } from "./ads-connection.ts";
import type { GrpcStreamOptions, OpenAdsStream } from "./ads-stream.ts";
import type { BackOffOptions } from "@fairlead/reconnect";
import type { ConfigConsumer } from "./config-consumer.ts";
import type { LastGoodConfig } from "./last-good-config.ts";

/** Who the proxy is: the xDS node. */
export interface AdsNode {
  readonly id: string;
  /** The application beside the proxy. */
  readonly cluster: string;
  readonly metadata: JsonObject;
  /** The version of Fairlead, as user_agent_version. */
  readonly version: string;
}

export interface AdsClientOptions extends GrpcStreamOptions {
  /** host:port of the gateways, tried in turn. At least one. */
  readonly addresses: readonly string[];
  readonly node: AdsNode;
  readonly consumer: ConfigConsumer;
  readonly logger: AdsLogger;
  /** How long the start waits for each type, in milliseconds. @default 15000 (Envoy) */
  readonly initialFetchTimeoutMs?: number;
  /** Waits between rounds of attempts. */
  readonly backOff?: BackOffOptions;
  /** A stream that was answered and lived this long, in milliseconds, resets the back-off; a shorter one only eases it. @default 5000 */
  readonly healthyAfterMs?: number;
  /** A wall clock, in milliseconds since 1970. @default Date.now */
  readonly now?: () => number;
  /** `delta`: only what has changed comes; `sotw`: all of a type with each change of it. @default "sotw" */
  readonly variant?: "delta" | "sotw";
  /** Where the last good configuration is kept, for a start without a gateway. @default it is not kept */
  readonly lastGood?: LastGoodConfig;
  /** How long the start waits for a gateway before it takes the last good configuration, in milliseconds. @default 2000 */
  readonly lastGoodAfterMs?: number;
  /** @default gRPC streams */
  readonly openStream?: OpenAdsStream;
}

/** As the first request of a stream has it. */
export function nodeMessage({ id, cluster, metadata, version }: AdsNode): Node {
  return create(NodeSchema, {
    id,
    cluster,
    metadata,
    userAgentName: "fairlead",
    userAgentVersionType: { case: "userAgentVersion", value: version },
  });
}
