import { FairleadError } from "@fairlead/errors";
import type { Instance } from "@fairlead/model";
import type {
  InstanceStateRequest,
  NodeBody,
  PublishRequest,
  ServiceBody,
  ServiceReference,
  SubscribeRequest,
  UnpublishRequest,
  UnsubscribeRequest,
} from "@fairlead/registration";
import type { CatalogueTransaction, CatalogueWriter } from "@fairlead/store";
import { currentTraceparent, inSpan } from "@fairlead/telemetry";
import type { Operation, RegistryMetrics } from "./registry-metrics.ts";
import "./errors.ts";

export interface RegistrationsOptions {
  readonly store: CatalogueWriter;
  readonly leaseTtlMs: number;
  readonly maxInstancesPerNode: number;
  readonly maxSubscriptionsPerNode: number;
  readonly metrics: Pick<RegistryMetrics, "stored">;
}

/** What an operation did. */
export interface Stored {
  readonly revision: number;
}

function instanceOf(nodeId: string, service: ServiceBody, state: PublishRequest["state"]): Instance {
  const { version, group, labels } = service;
  return {
    ...service,
    nodeId,
    // Subsets select by them too; what the publication itself says wins.
    labels: { ...(version === "" ? {} : { version }), ...(group === "" ? {} : { group }), ...labels },
    state,
  };
}

/** The publication that a reference means. @throws FairleadError FL_PUBLICATION_AMBIGUOUS */
async function findPublication(
  tx: CatalogueTransaction,
  nodeId: string,
  service: ServiceReference,
): Promise<Instance | undefined> {
  const { interface: name, protocol, version, group, port } = service;
  const found = await tx.findInstances({
    nodeId,
    interface: name,
    protocol,
    version,
    group,
    ...(port === undefined ? {} : { port }),
  });
  if (found.length > 1) {
    const ports = found.map((instance) => String(instance.port));
    throw new FairleadError(
      "FL_PUBLICATION_AMBIGUOUS",
      `${nodeId} publishes ${name} on the ports ${ports.join(", ")}; say which in service.port`,
      {
        facts: { node: nodeId, interface: name, ports },
      },
    );
  }
  return found[0];
}

/** The registrations of nodes: each operation is one transaction, and may be repeated. */
export class Registrations {
  readonly #options: RegistrationsOptions;

  constructor(options: RegistrationsOptions) {
    this.#options = options;
  }

  /** Publishes, or changes a publication. @throws FairleadError FL_NODE_LIMIT, FL_STORE_UNAVAILABLE */
  async publish({ service, node, state }: PublishRequest): Promise<Stored> {
    return await this.#write("publish", node.id, async (tx) => {
      await tx.putNode(node, this.#options.leaseTtlMs);
      await tx.publishService(service);
      const outcome = await tx.putInstance(instanceOf(node.id, service, state));
      if (outcome === "created")
        this.#limit(await tx.countInstances(node.id), this.#options.maxInstancesPerNode, node.id, "publications");
    });
  }

  /** Withdraws a publication; one that is not there is withdrawn already. @throws FairleadError FL_PUBLICATION_AMBIGUOUS, FL_STORE_UNAVAILABLE */
  async unpublish({ service, node }: UnpublishRequest): Promise<Stored> {
    return await this.#write("unpublish", node.id, async (tx) => {
      const instance = await findPublication(tx, node.id, service);
      if (instance !== undefined) await tx.removeInstance(instance);
    });
  }

  /** @throws FairleadError FL_NODE_LIMIT, FL_STORE_UNAVAILABLE */
  async subscribe({ service, node }: SubscribeRequest): Promise<Stored> {
    return await this.#write("subscribe", node.id, async (tx) => {
      await tx.putNode(node, this.#options.leaseTtlMs);
      await tx.subscribeService(service.interface, service.protocol);
      const outcome = await tx.putSubscription({ nodeId: node.id, interface: service.interface });
      if (outcome === "created")
        this.#limit(
          await tx.countSubscriptions(node.id),
          this.#options.maxSubscriptionsPerNode,
          node.id,
          "subscriptions",
        );
    });
  }

  async unsubscribe({ service, node }: UnsubscribeRequest): Promise<Stored> {
    return await this.#write("unsubscribe", node.id, (tx) =>
      tx.removeSubscription({ nodeId: node.id, interface: service.interface }),
    );
  }

  /** @throws FairleadError FL_NODE_UNKNOWN, FL_INSTANCE_UNKNOWN, FL_PUBLICATION_AMBIGUOUS, FL_STORE_UNAVAILABLE */
  async setState({ service, node, state }: InstanceStateRequest): Promise<Stored> {
    return await this.#write("set_state", node.id, async (tx) => {
      if ((await tx.findNode(node.id)) === undefined) throw unknownNode(node.id);
      const instance = await findPublication(tx, node.id, service);
      if (instance === undefined) {
        throw new FairleadError(
          "FL_INSTANCE_UNKNOWN",
          `${node.id} has not published ${service.interface} (${service.protocol})`,
          {
            facts: { node: node.id, interface: service.interface, protocol: service.protocol },
          },
        );
      }
      await tx.putInstance({ ...instance, state });
    });
  }

  async registerNode(node: NodeBody): Promise<Stored> {
    return await this.#write("register_node", node.id, (tx) => tx.putNode(node, this.#options.leaseTtlMs));
  }

  /** Removes the node with all that it registered; one that is not there is gone already. */
  async removeNode(nodeId: string): Promise<Stored> {
    return await this.#write("remove_node", nodeId, (tx) => tx.removeNode(nodeId));
  }

  /** @returns the lease time in milliseconds @throws FairleadError FL_NODE_UNKNOWN, FL_STORE_UNAVAILABLE */
  async renewLease(nodeId: string): Promise<number> {
    const { store, leaseTtlMs } = this.#options;
    const { result } = await store.write(currentTraceparent(), (tx) => tx.renewLease(nodeId, leaseTtlMs));
    if (!result) throw unknownNode(nodeId);
    return leaseTtlMs;
  }

  async #write(
    operation: Operation,
    nodeId: string,
    work: (tx: CatalogueTransaction) => Promise<unknown>,
  ): Promise<Stored> {
    return await inSpan(`registry.${operation}`, { "fairlead.node": nodeId }, async () => {
      const { revision, changed } = await this.#options.store.write(currentTraceparent(), work);
      this.#options.metrics.stored(operation, changed);
      return { revision };
    });
  }

  #limit(count: number, most: number, nodeId: string, what: string): void {
    if (count <= most) return;
    throw new FairleadError("FL_NODE_LIMIT", `${nodeId} has ${most} ${what} already`, {
      facts: { node: nodeId, limit: most },
    });
  }
}

function unknownNode(nodeId: string): FairleadError {
  return new FairleadError(
    "FL_NODE_UNKNOWN",
    `there is no node ${nodeId}: it was never registered, or its lease ran out`,
    { facts: { node: nodeId } },
  );
}
