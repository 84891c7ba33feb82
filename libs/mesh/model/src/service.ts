/** The protocols that a service may speak. */
export const protocols = ["http", "http2", "grpc", "dubbo", "bolt", "tcp"] as const;
export type Protocol = (typeof protocols)[number];

/**
 * What is called: an interface over a protocol. It exists from its first publication or subscription,
 * with or without instances, so that a call to it gets "no healthy upstream" and not "no route".
 */
export interface Service {
  /** The name that callers use as Host, e.g. `shop.Orders`. Case is kept; matching ignores it. */
  readonly interface: string;
  readonly protocol: Protocol;
}

export function serviceKey(service: Pick<Service, "interface" | "protocol">): string {
  return `${service.protocol}/${service.interface}`;
}
