export { openUnreadStream, type UnreadStream } from "./unread-stream.ts";
export { type RequestInit, XdsTestClient, type XdsTestClientOptions, type XdsLogEntry } from "./xds-test-client.ts";
