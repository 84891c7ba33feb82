/** What the name of an outbound cluster says: `outbound|<protocol>|<subset>|<interface>`. */
export interface OutboundCluster {
  readonly protocol: string;
  readonly subset: string;
  readonly service: string;
}

/** Of another name, the whole of it is the service. */
export function outboundClusterOf(name: string): OutboundCluster {
  const [direction, protocol = "", subset = "", ...rest] = name.split("|");
  if (direction !== "outbound" || rest.length === 0) return { protocol: "", subset: "", service: name };
  return { protocol, subset, service: rest.join("|") };
}
