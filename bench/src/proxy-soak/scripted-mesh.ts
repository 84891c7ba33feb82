import { create, toBinary } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { typeUrls } from "@fairlead/envoy-api";
import { HealthStatus } from "@fairlead/envoy-api/envoy/config/core/v3/health_check_pb.js";
import { ClusterLoadAssignmentSchema } from "@fairlead/envoy-api/envoy/config/endpoint/v3/endpoint_pb.js";
import { TcpProxySchema } from "@fairlead/envoy-api/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.js";
import {
  assignmentInit,
  cluster,
  endpoints,
  listener,
  routes,
  toCluster,
} from "@fairlead/proxy-runtime/testing/resources";
import { ScriptedAdsServer } from "@fairlead/proxy-xds-client/testing";

type Resource = ReturnType<typeof cluster>;

/** What the control plane says at one time. */
export interface MeshState {
  /** Changes the cluster itself: it warms and replaces the one before it. */
  readonly clusterRevision: number;
  readonly ports: readonly number[];
  /** Of these ports: gets no new requests. */
  readonly draining?: number;
  readonly listener: {
    readonly name: string;
    readonly port: number;
    readonly kind: "http" | "tcp";
    readonly revision: number;
  };
  /** Where a listener of bytes leads: another listener, which speaks HTTP. */
  readonly innerPort: number;
  readonly innerRevision: number;
}

/** A control plane that says what it is told, and waits until the proxy has ACKed it. */
export class ScriptedMesh {
  readonly #ads = new ScriptedAdsServer();
  readonly #outboundPort: number;
  #version = 0;
  /** Pushes that were ACKed. */
  acked = 0;

  constructor(outboundPort: number) {
    this.#outboundPort = outboundPort;
  }

  get address(): string {
    return this.#ads.address;
  }

  async start(): Promise<void> {
    await this.#ads.start();
  }

  stop(): void {
    this.#ads.stop();
  }

  /** For a proxy that is not there yet. */
  say(state: MeshState): string {
    const version = `v${++this.#version}`;
    const { clusterRevision, ports, draining, innerPort, innerRevision } = state;
    const own = cluster("a", { maxRequestsPerConnection: 100_000 + clusterRevision });
    this.#set(typeUrls.cluster, version, [own, cluster("inner")]);
    this.#set(typeUrls.endpoint, version, [
      draining === undefined ? endpoints("a", ports) : drainingEndpoints("a", ports, draining),
      endpoints("inner", [innerPort]),
    ]);
    const inner = `inner${innerRevision}`;
    const { name, port, kind, revision } = state.listener;
    const replaced =
      kind === "http" ? listener(name, port, { serverName: `v${revision}` }) : listenerOfBytes(name, port, "inner");
    this.#set(typeUrls.listener, version, [
      listener("outbound", this.#outboundPort),
      listener(inner, innerPort, { statPrefix: "inner" }),
      replaced,
    ]);
    const names = ["outbound", inner, ...(kind === "http" ? [name] : [])];
    this.#set(
      typeUrls.route,
      version,
      names.map((it) => routes(it, toCluster("*", "a"))),
    );
    return version;
  }

  /** Resolves when all of it is ACKed. @throws Error also when it is refused */
  async push(state: MeshState): Promise<void> {
    const version = this.say(state);
    for (const typeUrl of [typeUrls.cluster, typeUrls.endpoint, typeUrls.listener, typeUrls.route]) {
      const answer = await this.#ads.waitFor(
        `an answer to ${typeUrl} ${version}`,
        (request) => request.typeUrl === typeUrl && (request.version === version || request.nack !== undefined),
      );
      if (answer.nack !== undefined) throw new Error(`refused: ${answer.nack}`);
    }
    this.acked++;
  }

  #set(typeUrl: string, version: string, resources: readonly Resource[]): void {
    this.#ads.set(
      typeUrl,
      version,
      resources.map(({ body }) => ({ typeUrl, value: body })),
    );
  }
}

function drainingEndpoints(name: string, ports: readonly number[], draining: number): Resource {
  const message = create(ClusterLoadAssignmentSchema, assignmentInit(name, ports));
  for (const [i, endpoint] of (message.endpoints[0]?.lbEndpoints ?? []).entries()) {
    if (ports[i] === draining) endpoint.healthStatus = HealthStatus.DRAINING;
  }
  return { name, body: toBinary(ClusterLoadAssignmentSchema, message) };
}

function listenerOfBytes(name: string, port: number, clusterName: string): Resource {
  const proxy = create(TcpProxySchema, { statPrefix: "t", clusterSpecifier: { case: "cluster", value: clusterName } });
  const configType = { case: "typedConfig" as const, value: anyPack(TcpProxySchema, proxy) };
  return listener(name, port, {}, { filterChains: [{ filters: [{ name: "tcp", configType }] }] });
}
