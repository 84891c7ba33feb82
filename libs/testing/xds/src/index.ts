export { fetchPath, type XdsService, type XdsVariant } from "./discovery-paths.ts";
export { openUnreadStream, type UnreadStream } from "./unread-stream.ts";
export { VariantClient, type VariantClientOptions } from "./variant-client.ts";
export { type RequestInit, XdsTestClient, type XdsTestClientOptions, type XdsLogEntry } from "./xds-test-client.ts";
export { type WireRequest, type WireResource, type WireResponse } from "./xds-wire.ts";
