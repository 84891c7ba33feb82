import { ClusterSchema } from "@fairlead/envoy-api/envoy/config/cluster/v3/cluster_pb.js";
import { ClusterLoadAssignmentSchema } from "@fairlead/envoy-api/envoy/config/endpoint/v3/endpoint_pb.js";
import type { ClusterManager, HostSpec } from "@fairlead/proxy-upstream";
import { type Accepted, decodeResources } from "./decode-resources.ts";
import { readCluster, type TranslatedCluster } from "./translate/cluster.ts";
import { readLoadAssignment } from "./translate/load-assignment.ts";
import type { XdsRejection, XdsResource } from "./xds-resource.ts";

/**
 * CDS and EDS as they were accepted. A cluster gets into the cluster manager when it has its hosts; until then the
 * one before it, if any, goes on (warming).
 */
export class ClusterStore {
  readonly #manager: ClusterManager;
  readonly #clusters = new Map<string, Accepted<TranslatedCluster>>();
  readonly #assignments = new Map<string, Accepted<readonly HostSpec[]>>();
  /** Clusters that wait for their first assignment. */
  readonly #warming = new Set<string>();
  #clustersCame = false;

  constructor(manager: ClusterManager) {
    this.#manager = manager;
  }

  get initialized(): boolean {
    return this.#clustersCame && this.#warming.size === 0;
  }

  /** The assignments that the clusters want, sorted. */
  assignmentNames(): string[] {
    const names = new Set<string>();
    for (const { value } of this.#clusters.values()) if (value.edsName !== undefined) names.add(value.edsName);
    return [...names].toSorted();
  }

  clusters(): readonly (Accepted<TranslatedCluster> & { readonly warming: boolean })[] {
    return [...this.#clusters.values()].map((cluster) => ({ ...cluster, warming: this.#warming.has(cluster.name) }));
  }

  assignments(): readonly Accepted<readonly HostSpec[]>[] {
    return [...this.#assignments.values()];
  }

  applyClusters(resources: readonly XdsResource[]): readonly XdsRejection[] {
    this.#clustersCame = true;
    const { accepted, rejections } = decodeResources(
      ClusterSchema,
      resources,
      (name) => this.#clusters.get(name),
      (message) => ({ name: message.name, value: readCluster(message) }),
    );
    const present = new Set(resources.map((resource) => resource.name));
    for (const name of this.#clusters.keys()) if (!present.has(name)) this.#remove(name);
    for (const cluster of accepted) {
      if (this.#clusters.get(cluster.name) === cluster) continue;
      this.#clusters.set(cluster.name, cluster);
      this.#warm(cluster);
    }
    this.#forgetUnwanted();
    return rejections;
  }

  applyAssignments(resources: readonly XdsResource[]): readonly XdsRejection[] {
    const { accepted, rejections } = decodeResources(
      ClusterLoadAssignmentSchema,
      resources,
      (name) => this.#assignments.get(name),
      (message) => ({ name: message.clusterName, value: readLoadAssignment(message) }),
    );
    const wanted = new Set(this.assignmentNames());
    for (const assignment of accepted) {
      if (!wanted.has(assignment.name) || this.#assignments.get(assignment.name) === assignment) continue;
      this.#assignments.set(assignment.name, assignment);
      for (const cluster of this.#clusters.values()) {
        if (cluster.value.edsName === assignment.name) this.#setHosts(cluster, assignment.value);
      }
    }
    return rejections;
  }

  /** No clusters came: go on without. */
  giveUpOnClusters(): void {
    this.#clustersCame = true;
  }

  /** No assignments came: clusters without one serve, with no hosts. */
  giveUpOnAssignments(): void {
    for (const name of this.#warming) {
      const cluster = this.#clusters.get(name);
      if (cluster !== undefined) this.#activate(cluster, []);
    }
  }

  #warm(cluster: Accepted<TranslatedCluster>): void {
    const { edsName, hosts } = cluster.value;
    // An assignment that is known already is the newest there is: a server does not send again what has not changed.
    const known = edsName === undefined ? hosts : this.#assignments.get(edsName)?.value;
    if (known === undefined) this.#warming.add(cluster.name);
    else this.#activate(cluster, known);
  }

  #setHosts(cluster: Accepted<TranslatedCluster>, hosts: readonly HostSpec[]): void {
    if (this.#warming.has(cluster.name)) this.#activate(cluster, hosts);
    else this.#manager.get(cluster.name)?.setHosts(hosts);
  }

  #activate(cluster: Accepted<TranslatedCluster>, hosts: readonly HostSpec[]): void {
    this.#warming.delete(cluster.name);
    this.#manager.set(cluster.value.config, hosts);
  }

  #remove(name: string): void {
    this.#clusters.delete(name);
    this.#warming.delete(name);
    this.#manager.remove(name);
  }

  #forgetUnwanted(): void {
    const wanted = new Set(this.assignmentNames());
    for (const name of this.#assignments.keys()) if (!wanted.has(name)) this.#assignments.delete(name);
  }
}
