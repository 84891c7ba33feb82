export { AdsClient, type AdsPhase, type AdsState } from "./ads-client.ts";
export type { AdsClientOptions, AdsNode } from "./ads-client-options.ts";
export type { AdsConnectionState, AdsLogger } from "./ads-connection.ts";
export {
  type AdsStream,
  type AdsStreamHandlers,
  deltaStreams,
  grpcStreams,
  type GrpcStreamOptions,
  type OpenAdsStream,
} from "./ads-stream.ts";
export { LastGoodConfig } from "./last-good-config.ts";
export type { ConfigConsumer, ReceivedResource, RejectedResource } from "./config-consumer.ts";
export type { AdsTypeState } from "./type-subscription.ts";
