import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { HttpConnectionManagerSchema } from "@fairlead/envoy-api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import { TcpProxySchema } from "@fairlead/envoy-api/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.js";
import {
  DownstreamTlsContextSchema,
  UpstreamTlsContextSchema,
} from "@fairlead/envoy-api/envoy/extensions/transport_sockets/tls/v3/tls_pb.js";
import { FairleadError } from "@fairlead/errors";
import type { ProvenanceEntry } from "@fairlead/snapshot";
import { clusterChecks } from "./cluster-checks.ts";
import { commonChecks } from "./common-checks.ts";
import { connectionManagerChecks } from "./connection-manager-checks.ts";
import { listenerChecks } from "./listener-checks.ts";
import { routeChecks } from "./route-checks.ts";
import { tlsChecks } from "./tls-checks.ts";
import { brokenRules, type MessageChecks } from "./walk.ts";
import "../errors.ts";

const checks: MessageChecks = {
  of: new Map([
    ...commonChecks,
    ...routeChecks,
    ...clusterChecks,
    ...listenerChecks,
    ...connectionManagerChecks,
    ...tlsChecks,
  ]),
  opened: new Map(
    [HttpConnectionManagerSchema, TcpProxySchema, DownstreamTlsContextSchema, UpstreamTlsContextSchema].map((desc) => [
      desc.typeName,
      desc,
    ]),
  ),
  openedIn: new Set(["envoy.config.listener.v3.Filter", "envoy.config.core.v3.TransportSocket"]),
};

const objects = new WeakMap<FairleadError, readonly ProvenanceEntry[]>();

/**
 * Nothing leaves the compiler that a proxy would refuse as a whole, with all that it comes with.
 *
 * @param what it is: the key of a resource, the name of a virtual host
 * @param provenance whose fault it would be
 * @throws FairleadError FL_COMPILE_INVALID with the first rule that it breaks
 */
export function requireValid<Desc extends DescMessage>(
  schema: Desc,
  message: MessageShape<Desc>,
  what: string,
  provenance: readonly ProvenanceEntry[],
): void {
  for (const rule of brokenRules(checks, schema, message)) throw refused(what, rule, provenance);
}

/** @returns the error of what proxies would refuse */
export function refused(what: string, rule: string, provenance: readonly ProvenanceEntry[]): FairleadError {
  const error = new FairleadError("FL_COMPILE_INVALID", `proxies would refuse ${what}: ${rule}`, {
    facts: { what, rule },
  });
  objects.set(error, provenance);
  return error;
}

/**
 * @param caught what stopped a resource from being encoded
 * @returns an error that says which resource, and that is the fault of those
 */
export function notEncoded(what: string, caught: unknown, provenance: readonly ProvenanceEntry[]): FairleadError {
  const cause = FairleadError.from(caught);
  const error = new FairleadError("FL_COMPILE_FAILED", `${what} cannot be encoded: ${cause.message}`, {
    facts: { what },
    cause,
  });
  objects.set(error, provenance);
  return error;
}

/** @returns whose fault an error is: the policies that had a part in it, since they say what is not of the mesh's own making */
export function objectsAtFault(caught: unknown): readonly ProvenanceEntry[] {
  if (!(caught instanceof FairleadError)) return [];
  return (objects.get(caught) ?? []).filter(({ kind }) => kind === "policy");
}
