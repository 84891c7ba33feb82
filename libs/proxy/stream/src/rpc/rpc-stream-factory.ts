import { boltProtocol } from "@fairlead/codec-bolt";
import { dubboProtocol } from "@fairlead/codec-dubbo";
import type { RpcProtocol } from "@fairlead/codec-rpc";
import { registerStreamFactory, type StreamFactory } from "../stream-factory.ts";
import { MAX_STREAMS, RpcClientConnection } from "./client-connection.ts";
import { RpcServerConnection } from "./server-connection.ts";

/** The streams of an RPC protocol: frames are multiplexed by their ids, whatever else they are. */
export function rpcStreamFactory(protocol: RpcProtocol): StreamFactory {
  return {
    expectedStreams: MAX_STREAMS,
    createServer: (socket, events, options) => new RpcServerConnection(protocol, socket, events, options),
    createClient: (socket, events, options) => new RpcClientConnection(protocol, socket, events, options),
  };
}

/** Those that are served, by name. */
export const rpcProtocols: ReadonlyMap<string, RpcProtocol> = new Map(
  [dubboProtocol, boltProtocol].map((protocol) => [protocol.name, protocol]),
);

for (const protocol of rpcProtocols.values()) registerStreamFactory(protocol.name, rpcStreamFactory(protocol));
