import { fromBinary } from "@bufbuild/protobuf";
import { ClusterSchema } from "@fairlead/envoy-api/envoy/config/cluster/v3/cluster_pb.js";
import { ClusterLoadAssignmentSchema } from "@fairlead/envoy-api/envoy/config/endpoint/v3/endpoint_pb.js";
import type { ClusterManager } from "@fairlead/proxy-upstream";
import type { CommonCells } from "@fairlead/stat-cells";
import { type Accepted, decodeResources } from "../decode-resources.ts";
import { readCluster, type TranslatedCluster } from "../translate/cluster.ts";
import type { WatchedNames, WatchNames } from "./dns-hosts.ts";
import type { DnsDiscovery } from "../translate/dns-discovery.ts";
import { type Assignment, readLoadAssignment } from "../translate/load-assignment.ts";
import { type NewerFields, readAgain } from "../translate/newer-fields.ts";
import type { SecretStore } from "../secrets/secret-store.ts";
import type { XdsRejection, XdsResource } from "../xds-resource.ts";

/**
 * An assignment that is in force. Its hosts have what is needed of it: it is read again for a cluster that comes anew, which is seldom,
 * instead of being kept a second time.
 */
class AssignmentInForce implements Accepted<Assignment> {
  readonly name: string;
  readonly body: Uint8Array;

  constructor({ name, body }: Accepted<Assignment>) {
    this.name = name;
    this.body = body;
  }

  get value(): Assignment {
    return readAgain(() => readLoadAssignment(fromBinary(ClusterLoadAssignmentSchema, this.body)));
  }
}

/**
 * CDS and EDS as they were accepted. A cluster gets into the cluster manager when it has its hosts; until then the
 * one before it, if any, goes on (warming).
 */
export class ClusterStore {
  readonly #manager: ClusterManager;
  readonly #clusters = new Map<string, Accepted<TranslatedCluster>>();
  readonly #assignments = new Map<string, AssignmentInForce>();
  /** Clusters that wait for their first assignment, or for secrets. */
  readonly #warming = new Set<string>();
  readonly #watchNames: WatchNames;
  readonly #onChange: () => void;
  readonly #dns = new Map<string, WatchedNames>();
  /** Clusters whose hosts have not all been checked once. */
  readonly #checking = new Set<string>();
  readonly #secrets: SecretStore;
  readonly #newer: NewerFields;
  readonly #common: CommonCells | undefined;
  /** The hosts of clusters that wait for nothing but secrets. */
  readonly #withoutSecrets = new Map<string, Assignment>();
  #clustersCame = false;

  /**
   * @param onChange a cluster that was warming serves now, other than by an `apply…`
   * @param common what limits count in over all threads
   */
  constructor(
    manager: ClusterManager,
    secrets: SecretStore,
    watchNames: WatchNames,
    onChange: () => void,
    newer: NewerFields,
    common?: CommonCells,
  ) {
    this.#newer = newer;
    this.#common = common;
    this.#manager = manager;
    this.#secrets = secrets;
    this.#watchNames = watchNames;
    this.#onChange = onChange;
  }

  close(): void {
    this.#checking.clear();
    for (const dns of this.#dns.values()) dns.close();
    this.#dns.clear();
  }

  get initialized(): boolean {
    return this.#clustersCame && this.#warming.size === 0 && this.#checking.size === 0;
  }

  /** The assignments that the clusters want, sorted. */
  assignmentNames(): string[] {
    const names = new Set<string>();
    for (const { value } of this.#clusters.values())
      if (value.discovery.kind === "eds") names.add(value.discovery.name);
    return [...names].toSorted();
  }

  /** The secrets that the clusters want. */
  secretNames(): string[] {
    return [...this.#clusters.values()].flatMap(({ value }) => value.secretNames);
  }

  clusters(): readonly (Accepted<TranslatedCluster> & { readonly warming: boolean })[] {
    return [...this.#clusters.values()].map((cluster) => ({ ...cluster, warming: this.#warming.has(cluster.name) }));
  }

  assignments(): readonly Omit<Accepted<Assignment>, "value">[] {
    return [...this.#assignments.values()];
  }

  applyClusters(resources: readonly XdsResource[]): readonly XdsRejection[] {
    this.#clustersCame = true;
    const { accepted, rejections } = decodeResources(
      ClusterSchema,
      resources,
      (name) => this.#clusters.get(name),
      (message) => ({ name: message.name, value: readCluster(message, this.#secrets) }),
      this.#newer,
      this.#common,
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
      this.#newer,
    );
    const wanted = new Set(this.assignmentNames());
    for (const assignment of accepted) {
      if (!wanted.has(assignment.name) || this.#assignments.get(assignment.name) === assignment) continue;
      this.#assignments.set(assignment.name, new AssignmentInForce(assignment));
      for (const cluster of this.#clusters.values()) {
        const { discovery } = cluster.value;
        if (discovery.kind === "eds" && discovery.name === assignment.name) this.#setHosts(cluster, assignment.value);
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
      if (cluster !== undefined) this.#activate(cluster, { hosts: [], policy: {} });
    }
  }

  /** Secrets came, or will not come: clusters that waited for them serve. */
  onSecrets(): void {
    for (const [name, assignment] of this.#withoutSecrets) {
      const cluster = this.#clusters.get(name);
      if (cluster !== undefined) this.#activate(cluster, assignment);
    }
  }

  #warm(cluster: Accepted<TranslatedCluster>): void {
    const { discovery } = cluster.value;
    this.#withoutSecrets.delete(cluster.name);
    this.#dns.get(cluster.name)?.close();
    this.#dns.delete(cluster.name);
    if (discovery.kind === "dns") {
      // One that is there already serves until this one has hosts.
      if (discovery.dns.warms || this.#manager.get(cluster.name) !== undefined) this.#warming.add(cluster.name);
      else this.#activate(cluster, { hosts: [], policy: discovery.dns.policy });
      this.#resolveNames(cluster, discovery.dns);
      return;
    }
    // An assignment that is known already is the newest there is: a server does not send again what has not changed.
    const known = discovery.kind === "static" ? discovery.assignment : this.#assignments.get(discovery.name)?.value;
    if (known === undefined) this.#warming.add(cluster.name);
    else this.#activate(cluster, known);
  }

  #resolveNames(cluster: Accepted<TranslatedCluster>, dns: DnsDiscovery): void {
    const { policy } = dns;
    const watch = this.#watchNames(cluster.name, {
      dns,
      onHosts: (hosts) => {
        if (this.#dns.get(cluster.name) !== watch) return;
        const warmed = this.#warming.has(cluster.name);
        this.#setHosts(cluster, { hosts, policy });
        if (warmed) this.#onChange();
      },
      onResult: (success) => {
        const stats = this.#manager.statsOf(cluster.name);
        if (stats === undefined) return;
        stats.update_attempt++;
        if (success) stats.update_success++;
        else stats.update_failure++;
      },
    });
    this.#dns.set(cluster.name, watch);
  }

  #setHosts(cluster: Accepted<TranslatedCluster>, assignment: Assignment): void {
    if (this.#warming.has(cluster.name)) this.#activate(cluster, assignment);
    else this.#manager.setHosts(cluster.name, assignment.hosts, assignment.policy);
  }

  #activate(cluster: Accepted<TranslatedCluster>, assignment: Assignment): void {
    if (!this.#secrets.settled(cluster.value.secretNames)) {
      this.#warming.add(cluster.name);
      this.#withoutSecrets.set(cluster.name, assignment);
      return;
    }
    this.#withoutSecrets.delete(cluster.name);
    this.#warming.delete(cluster.name);
    this.#manager.set(cluster.value.config, assignment.hosts, assignment.policy);
    const active = this.#manager.get(cluster.name);
    if (active === undefined || active.checked) return;
    this.#checking.add(cluster.name);
    active.onChecked(() => {
      if (this.#checking.delete(cluster.name)) this.#onChange();
    });
  }

  #remove(name: string): void {
    this.#clusters.delete(name);
    this.#warming.delete(name);
    this.#checking.delete(name);
    this.#withoutSecrets.delete(name);
    this.#dns.get(name)?.close();
    this.#dns.delete(name);
    this.#manager.remove(name);
  }

  #forgetUnwanted(): void {
    const wanted = new Set(this.assignmentNames());
    for (const name of this.#assignments.keys()) if (!wanted.has(name)) this.#assignments.delete(name);
  }
}
