import type { Gateway, GatewayServer } from "@fairlead/policy";
import type { ProvenanceEntry } from "@fairlead/snapshot";
import { intersectHosts } from "./host-pattern.ts";
import type { RejectedObject } from "./service-plan.ts";

export interface GatewayInForce {
  /** That of the policy. */
  readonly key: string;
  readonly namespace: string;
  readonly gateway: Gateway;
  readonly provenance: ProvenanceEntry;
}

/** A server of a Gateway. */
export interface PlannedServer extends Omit<GatewayInForce, "gateway"> {
  readonly server: GatewayServer;
  readonly hosts: readonly { readonly host: string; readonly namespace: string | undefined }[];
}

/** `http`: one chain for all hosts. `tls`: a chain a server name. `tcp`: bytes. */
export type PortKind = "http" | "tls" | "tcp";

/** A port of a gateway, with the servers of all its Gateways that share it. */
export interface PlannedPort {
  readonly number: number;
  readonly bind: string | undefined;
  readonly kind: PortKind;
  readonly servers: readonly PlannedServer[];
}

export interface GatewayPlan {
  readonly ports: readonly PlannedPort[];
  readonly conflicts: readonly RejectedObject[];
}

function kindOf({ port }: GatewayServer): PortKind {
  if (port.protocol === "TCP") return "tcp";
  return port.protocol === "HTTPS" || port.protocol === "TLS" ? "tls" : "http";
}

/** `shop/a.com`: of VirtualServices of that namespace only; `./a.com`: of the Gateway's. */
function serverHost(text: string, namespace: string) {
  const slash = text.indexOf("/");
  const space = slash === -1 ? "*" : text.slice(0, slash);
  return {
    host: text.slice(slash + 1).toLowerCase(),
    namespace: space === "*" ? undefined : space === "." ? namespace : space,
  };
}

/** Servers of one port must be told apart: plain HTTP by Host, TLS by server name, TCP not at all. */
function isTaken(kind: PortKind, taken: readonly PlannedServer[], hosts: PlannedServer["hosts"]): boolean {
  if (kind === "http") return false;
  if (kind === "tcp") return true;
  return taken.some((other) => other.hosts.some((theirs) => hosts.some(({ host }) => host === theirs.host)));
}

/** The ports of a gateway. Servers are taken in the order of namespace and name; what an earlier one has is not given again. */
export function gatewayPlan(gateways: readonly GatewayInForce[]): GatewayPlan {
  const ports = new Map<
    string,
    { kind: PortKind; number: number; bind: string | undefined; servers: PlannedServer[] }
  >();
  const conflicts: RejectedObject[] = [];
  for (const { gateway, ...owner } of gateways) {
    for (const server of gateway.servers) {
      const { number } = server.port;
      const kind = kindOf(server);
      const hosts = server.hosts.map((text) => serverHost(text, owner.namespace));
      const port = ports.get(`${server.bind ?? ""} ${number}`) ?? { kind, number, bind: server.bind, servers: [] };
      ports.set(`${server.bind ?? ""} ${number}`, port);
      const first = port.servers[0];
      if (first !== undefined && (port.kind !== kind || isTaken(kind, port.servers, hosts))) {
        conflicts.push({
          provenance: owner.provenance,
          code: "FL_POLICY_CONFLICT",
          message: `${owner.key}: port ${number} with ${server.port.protocol} for ${server.hosts.join(", ")} is that of ${first.key}, which comes first`,
        });
      } else port.servers.push({ ...owner, server, hosts });
    }
  }
  return { ports: [...ports.values()], conflicts };
}

/** The hosts that a server and a VirtualService have in common, in lower case; the narrower of two. */
export function commonHosts({ hosts }: PlannedServer, own: readonly string[], namespace: string): string[] {
  const found = hosts
    .filter((host) => host.namespace === undefined || host.namespace === namespace)
    .flatMap(({ host }) => own.flatMap((other) => intersectHosts(host, other.toLowerCase()) ?? []));
  return [...new Set(found)];
}
