import { registerStreamFactory, type StreamFactory } from "../stream-factory.ts";
import { Http2ClientStreams } from "./client-connection.ts";
import { Http2ServerStreams } from "./server-connection.ts";

export const http2StreamFactory: StreamFactory = {
  // What RFC 9113 §6.5.2 asks of servers at least.
  expectedStreams: 100,
  createServer: (socket, events, options) => new Http2ServerStreams(socket, events, options),
  createClient: (socket, events, options) => new Http2ClientStreams(socket, events, options),
};

registerStreamFactory("http2", http2StreamFactory);
