import { connect, createServer, type Server, type Socket } from "node:net";
import { create } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { FrameCollector, type RpcFrame, type RpcProtocol } from "@fairlead/codec-rpc";
import { Cluster_DiscoveryType } from "@fairlead/envoy-api/envoy/config/cluster/v3/cluster_pb.js";
import { RpcProxySchema } from "@fairlead/fairlead-api";
import type { XdsResource } from "../xds-resource.ts";
import { assignmentInit, cluster, listener } from "./resources.ts";

/** A listener whose calls take the routes of its own name. */
export function rpcListener(name: string): XdsResource {
  const filter = create(RpcProxySchema, { statPrefix: name, routeConfigName: name });
  return listener(
    name,
    0,
    {},
    {
      filterChains: [
        { filters: [{ name: "rpc", configType: { case: "typedConfig", value: anyPack(RpcProxySchema, filter) } }] },
      ],
    },
  );
}

/** A STATIC cluster whose hosts speak an RPC protocol. */
export function rpcCluster(name: string, protocol: string, ports: readonly number[]): XdsResource {
  return cluster(name, {
    clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.STATIC },
    edsClusterConfig: undefined,
    loadAssignment: assignmentInit(name, ports),
    metadata: { filterMetadata: { "fairlead.rpc": { protocol } } },
  });
}

/** One end of a connection that keeps the frames that come. */
export class RpcPeer {
  readonly frames: RpcFrame[] = [];
  readonly socket: Socket;
  closed = false;

  constructor(protocol: RpcProtocol, socket: Socket, onFrame: (frame: RpcFrame, socket: Socket) => void = () => {}) {
    this.socket = socket;
    const collector = new FrameCollector(protocol);
    socket.on("error", () => undefined);
    socket.on("close", () => (this.closed = true));
    socket.on("data", (chunk: Buffer) =>
      collector.execute(chunk, (bytes) => {
        const frame = protocol.frameOf(Buffer.from(bytes));
        this.frames.push(frame);
        onFrame(frame, socket);
      }),
    );
  }

  static client(protocol: RpcProtocol, port: number): RpcPeer {
    return new RpcPeer(protocol, connect(port, "127.0.0.1"));
  }
}

/** A host that does with each call what it is told to. */
export class RpcTestHost implements AsyncDisposable {
  readonly port: number;
  readonly connections: RpcPeer[] = [];
  onCall: (frame: RpcFrame, socket: Socket) => void = () => undefined;
  readonly #server: Server;

  private constructor(protocol: RpcProtocol, server: Server) {
    this.#server = server;
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("not bound");
    this.port = address.port;
    server.on("connection", (socket) =>
      this.connections.push(new RpcPeer(protocol, socket, (frame, to) => this.onCall(frame, to))),
    );
  }

  static async start(protocol: RpcProtocol): Promise<RpcTestHost> {
    const server = createServer();
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    return new RpcTestHost(protocol, server);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { socket } of this.connections) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
