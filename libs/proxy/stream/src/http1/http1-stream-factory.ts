import { registerStreamFactory, type StreamFactory } from "../stream-factory.ts";
import { Http1ClientConnection } from "./client-connection.ts";
import { Http1ServerConnection } from "./server-connection.ts";

export const http1StreamFactory: StreamFactory = {
  createServer: (socket, events, options) => new Http1ServerConnection(socket, events, options),
  createClient: (socket, events, options) => new Http1ClientConnection(socket, events, options),
};

registerStreamFactory("http1", http1StreamFactory);
