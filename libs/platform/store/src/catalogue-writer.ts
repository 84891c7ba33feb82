import type { Instance, MeshNode, PolicyObject, Protocol, Service, Subscription } from "@fairlead/model";

export interface Written<T> {
  readonly result: T;
  /** The revision that holds the changes; where nothing changed, the newest one, which holds what was found. */
  readonly revision: number;
  readonly changed: boolean;
}

/** Which of a node's instances; a field that is not given matches any. */
export interface InstanceFilter extends Partial<
  Pick<Instance, "interface" | "protocol" | "version" | "group" | "port">
> {
  readonly nodeId: string;
}

/** What a put did. */
export type PutOutcome = "created" | "configured" | "unchanged";

/**
 * One transaction on the catalogue. What really changes goes to the change log; a put of what is there already does not.
 *
 * It takes locks in the order nodes, interfaces, policies: several of one kind in the order of their names.
 */
export interface CatalogueTransaction {
  /** The node, which stays as it is until the transaction ends. */
  findNode(nodeId: string): Promise<MeshNode | undefined>;
  /** Writes the node and renews its lease. */
  putNode(node: MeshNode, leaseTtlMs: number): Promise<PutOutcome>;
  /** @returns false when there is no such node */
  renewLease(nodeId: string, leaseTtlMs: number): Promise<boolean>;
  /** Removes the node with its instances and subscriptions. @returns false when there is no such node */
  removeNode(nodeId: string): Promise<boolean>;
  /** Removes up to `limit` nodes whose lease is over by PostgreSQL's clock. @returns their ids */
  expireNodes(limit: number): Promise<string[]>;

  /** A publication names the service: it exists, and an assumed one of another protocol without instances goes. */
  publishService(service: Service): Promise<void>;
  /** A subscription names the interface: where it does not exist yet, it is assumed to speak `protocol`. */
  subscribeService(name: string, protocol: Protocol): Promise<void>;
  /** Removes up to `limit` services that had neither instance nor subscription for `retentionMs`. */
  removeUnusedServices(retentionMs: number, limit: number): Promise<Service[]>;

  /** In the order of their keys. */
  findInstances(filter: InstanceFilter): Promise<Instance[]>;
  countInstances(nodeId: string): Promise<number>;
  /** Its node and service have to be there. */
  putInstance(instance: Instance): Promise<PutOutcome>;
  removeInstance(instance: Instance): Promise<boolean>;

  countSubscriptions(nodeId: string): Promise<number>;
  /** Its node and service have to be there. */
  putSubscription(subscription: Subscription): Promise<PutOutcome>;
  removeSubscription(subscription: Subscription): Promise<boolean>;

  /** Instances of all nodes whose id begins so, in the order of their keys. */
  findInstancesOf(nodePrefix: string): Promise<Instance[]>;
  /** Names of registries that something is here of: nodes `registry~<name>~…`, policies of the namespace `~<name>`. */
  findMirroredRegistries(): Promise<string[]>;
  /**
   * Many instances of a registry that the mesh mirrors, with their nodes, which have no lease. Only one writer at a time for these nodes.
   *
   * @returns interfaces that were left out, with their instances: others are there that differ in upper and lower case only
   */
  putMirrored(nodes: readonly MeshNode[], instances: readonly Instance[]): Promise<readonly string[]>;
  /** And their nodes, where nothing is left of these. */
  removeMirrored(instances: readonly Instance[]): Promise<void>;

  putPolicy(policy: PolicyObject): Promise<PutOutcome>;
  removePolicy(policy: Pick<PolicyObject, "kind" | "namespace" | "name">): Promise<boolean>;
}

/** Changes the catalogue: one transaction, one revision. */
export interface CatalogueWriter {
  /**
   * Runs `work` in a transaction; may run it again when PostgreSQL undoes it. Writes that change nothing make no revision.
   *
   * @param traceparent of the request, kept with each change
   * @throws FairleadError FL_STORE_UNAVAILABLE; what `work` throws undoes all of it
   */
  write<T>(
    traceparent: string | undefined,
    work: (transaction: CatalogueTransaction) => Promise<T>,
  ): Promise<Written<T>>;
  /** Forgets changes that are more than `keepRevisions` old. @returns how many rows @default 10,000 */
  trimChangeLog(keepRevisions?: number): Promise<number>;
}
