/**
 * One proxy (sidecar, edge gateway, Envoy), or a host without a proxy that publishes by itself.
 * `id` is the xDS node id.
 */
export interface MeshNode {
  readonly id: string;
  /** The application beside the proxy: the xDS node cluster. */
  readonly app: string;
  /** The address that other proxies reach it at. */
  readonly address: string;
  /**
   * The port where its proxy takes calls for its application; undefined = no proxy in front,
   * callers go to the instance's own port.
   */
  readonly inboundPort?: number | undefined;
  /** The port on loopback where its proxy takes the application's calls; undefined = no outbound listener. */
  readonly outboundPort?: number | undefined;
  /**
   * The port on loopback where its proxy takes the application's Dubbo and bolt calls; undefined = it takes none. The inbound listener of a
   * node that has one takes such calls as well, unless it is another proxy (`isForeignProxy`).
   */
  readonly outboundRpcPort?: number | undefined;
  readonly labels: Readonly<Record<string, string>>;
}

/** A node's own label that says which proxy it has, where it is none of ours. */
export const proxyLabel = "fairlead.io/proxy";

/** Whether the node's proxy is an unmodified Envoy, as its registration says: it has no filter of ours. */
export function isForeignProxy({ labels }: Pick<MeshNode, "labels">): boolean {
  return labels[proxyLabel] === "envoy";
}

/** Whether calls of Dubbo and bolt reach the node's application through its proxy. */
export function takesRpcCalls(node: Pick<MeshNode, "labels" | "outboundRpcPort">): boolean {
  return node.outboundRpcPort !== undefined && !isForeignProxy(node);
}

const nodeIdPattern = /^[A-Za-z0-9][A-Za-z0-9._~:@/-]{0,254}$/;

export const nodeIdRule = "1 to 255 of A-Z a-z 0-9 . _ ~ : @ / -, beginning with a letter or digit";

export function isValidNodeId(id: string): boolean {
  return nodeIdPattern.test(id);
}
