export { type AbuseLimits, defaultAbuseLimits } from "./abuse-guard.ts";
export {
  Http2ClientConnection,
  type Http2ClientEvents,
  type Http2ClientStream,
  type Http2RequestLine,
} from "./client-connection.ts";
export { connectionDefaults, type Http2ConnectionOptions } from "./connection-options.ts";
export { CLIENT_PREFACE, ERROR_CODE, errorName } from "./frame-types.ts";
export { Http2Error } from "./http2-error.ts";
export { Http2Stats } from "./http2-stats.ts";
export { type Http2RequestHead, type Http2ResponseHead } from "./message-head.ts";
export { Http2ServerConnection, type Http2ServerEvents, type Http2ServerStream } from "./server-connection.ts";
export { type StreamReset, type StreamSink } from "./stream.ts";
