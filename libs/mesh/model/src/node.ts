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
   * The port on loopback where its proxy takes the application's Dubbo and bolt calls; undefined = it takes none. A node that has one is a
   * proxy of ours: its inbound listener takes such calls as well.
   */
  readonly outboundRpcPort?: number | undefined;
  readonly labels: Readonly<Record<string, string>>;
}

const nodeIdPattern = /^[A-Za-z0-9][A-Za-z0-9._~:@/-]{0,254}$/;

export const nodeIdRule = "1 to 255 of A-Z a-z 0-9 . _ ~ : @ / -, beginning with a letter or digit";

export function isValidNodeId(id: string): boolean {
  return nodeIdPattern.test(id);
}
