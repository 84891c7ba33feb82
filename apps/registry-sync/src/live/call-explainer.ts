import { fromBinary } from "@bufbuild/protobuf";
import { typeUrls } from "@fairlead/envoy-api";
import { ClusterLoadAssignmentSchema } from "@fairlead/envoy-api/envoy/config/endpoint/v3/endpoint_pb.js";
import { type PolicyObject, policyKey } from "@fairlead/model";
import { typedPolicy } from "@fairlead/policy";
import type { RequestToExplain, RouteTaken } from "@fairlead/proxy-explain";
import type { CallExplanation, ExplainedCluster, Origin } from "@fairlead/registration";
import type { CompiledResource, ProvenanceEntry, ResourceView } from "@fairlead/snapshot";
import type { CatalogueQueries } from "@fairlead/store";
import type { JobQueue } from "../policy-work/job-queue.ts";
import type { LiveConfig } from "./live-config.ts";

export interface CallToExplain extends RequestToExplain {
  /** The proxy that the call is made through; one that nobody registered sees everything. */
  readonly node: string;
}

export interface CallExplainerOptions {
  readonly live: Pick<LiveConfig, "replica">;
  readonly worker: Pick<JobQueue, "run">;
  readonly store: Pick<CatalogueQueries, "findPolicies">;
}

/** The name of the routes and the listener that take applications' calls. */
const outbound = "outbound";

const originOf = ({ kind, key, file = "", line = 0 }: ProvenanceEntry): Origin => ({ kind, key, file, line });

/** Walks one call through the configuration that is live: listener, virtual host, route, clusters, endpoints, and where each comes from. */
export class CallExplainer {
  readonly #options: CallExplainerOptions;

  constructor(options: CallExplainerOptions) {
    this.#options = options;
  }

  /** @throws FairleadError FL_CONFIG_NOT_KNOWN, FL_OVERLOADED, FL_POLICY_WORK_LIMIT, FL_STORE_UNAVAILABLE; as the proxy for routes that it refuses */
  async explain(call: CallToExplain, signal?: AbortSignal): Promise<CallExplanation> {
    const { live, worker } = this.#options;
    const replica = await live.replica();
    const view = replica.viewOf(call.node);
    const routes = view.get(typeUrls.route, outbound);
    const listener = view.get(typeUrls.listener, outbound);
    // What is read of the view is read now: it follows the replica.
    const clusters = new Map<string, ExplainedCluster>();
    const described = {
      node: call.node,
      registered: view.registered,
      scope: view.scopeId,
      revision: replica.revision,
      listener: listener === undefined ? undefined : listener.provenance.map(originOf),
    };
    const resources = new Map(routes === undefined ? [] : clustersOf(view));
    const { headers, method, path, authority } = call;
    const taken: RouteTaken =
      routes === undefined
        ? { kind: "none", status: 404, reason: "the proxy has no routes" }
        : await worker.run(
            { kind: "route", routes: routes.body, request: { headers, method, path, authority } },
            signal,
          );
    if (taken.kind === "none" || routes === undefined) return { ...described, taken, routeObjects: [], clusters: [] };
    const { action } = taken;
    for (const { name } of action.kind === "forward" ? action.clusters : [])
      clusters.set(name, describe(name, resources.get(name)));
    const routeObjects = await this.#objectsOf(taken.virtualHost, routes);
    return { ...described, taken, routeObjects, clusters: [...clusters.values()] };
  }

  /** Of the routes of a scope, the objects that this virtual host is of: its service, and the VirtualServices that name it. */
  async #objectsOf(virtualHost: string, { provenance }: CompiledResource): Promise<Origin[]> {
    const host = virtualHost.toLowerCase();
    const services = provenance.filter(
      ({ kind, key }) => kind === "service" && key.slice(key.indexOf("/") + 1).toLowerCase() === host,
    );
    const keys = provenance.flatMap(({ kind, key }) => (kind === "policy" ? [key] : []));
    const policies = keys.length === 0 ? new Map<string, PolicyObject>() : await this.#options.store.findPolicies(keys);
    const naming = [...policies.values()].filter((policy) => {
      const typed = typedPolicy(policy);
      return typed.kind === "VirtualService" && typed.spec.hosts.some((name) => name.toLowerCase() === host);
    });
    const named = new Set(naming.map(policyKey));
    return [...provenance.filter(({ kind, key }) => kind === "policy" && named.has(key)), ...services].map(originOf);
  }
}

interface ClusterResources {
  readonly cluster: CompiledResource;
  readonly endpoints: CompiledResource | undefined;
}

function* clustersOf(view: ResourceView): Generator<[name: string, ClusterResources]> {
  for (const cluster of view.all(typeUrls.cluster)) {
    yield [cluster.name, { cluster, endpoints: view.get(typeUrls.endpoint, cluster.name) }];
  }
}

function describe(name: string, found: ClusterResources | undefined): ExplainedCluster {
  if (found === undefined) return { name, known: false, objects: [], endpoints: [], endpointObjects: [] };
  const { cluster, endpoints } = found;
  const assignment = endpoints === undefined ? undefined : fromBinary(ClusterLoadAssignmentSchema, endpoints.body);
  const hosts = (assignment?.endpoints ?? []).flatMap(({ lbEndpoints, priority }) =>
    lbEndpoints.flatMap(({ hostIdentifier, loadBalancingWeight }) => {
      const address = hostIdentifier.case === "endpoint" ? hostIdentifier.value.address?.address : undefined;
      if (address?.case !== "socketAddress") return [];
      const { address: host, portSpecifier } = address.value;
      const port = portSpecifier.case === "portValue" ? portSpecifier.value : 0;
      return [{ address: host, port, weight: loadBalancingWeight ?? 1, priority }];
    }),
  );
  const maxShown = 1000;
  return {
    name,
    known: true,
    objects: cluster.provenance.map(originOf),
    endpoints: hosts.slice(0, maxShown),
    endpointObjects: (endpoints?.provenance ?? []).slice(0, maxShown).map(originOf),
  };
}
