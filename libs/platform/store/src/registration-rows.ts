import { isDeepStrictEqual } from "node:util";
import { type Instance, instanceKey, type MeshNode, type Subscription, subscriptionKey } from "@fairlead/model";
import { type EntityManager, type FindOptionsWhere, In } from "typeorm";
import {
  InstanceEntity,
  type InstanceRow,
  NodeEntity,
  SubscriptionEntity,
  type SubscriptionRow,
} from "./catalogue-entities.ts";
import type { InstanceFilter, PutOutcome } from "./catalogue-writer.ts";
import type { ChangeRecorder } from "./change-recorder.ts";
import { RecordedTable, type TransactionParts } from "./recorded-table.ts";
import { instanceOf, instanceRowOf, nodeOf, nodeRowOf, subscriptionOf, subscriptionRowOf } from "./row-mapping.ts";
import type { TransactionLocks } from "./transaction-locks.ts";

/** PostgreSQL's clock, so that the clocks of replicas do not matter. */
function leaseEnd(ttlMs: number): () => string {
  return () => `now() + interval '${Math.trunc(ttlMs)} milliseconds'`;
}

/** Nodes, and what each of them owns: instances and subscriptions. All is done under the lock of the node. */
export class RegistrationRows {
  readonly #manager: EntityManager;
  readonly #locks: TransactionLocks;
  readonly #recorder: ChangeRecorder;
  readonly #instances: RecordedTable<InstanceRow, Instance>;
  readonly #subscriptions: RecordedTable<SubscriptionRow, Subscription>;

  constructor(parts: TransactionParts) {
    ({ manager: this.#manager, locks: this.#locks, recorder: this.#recorder } = parts);
    this.#instances = new RecordedTable(parts, { kind: "instance", entity: InstanceEntity, valueOf: instanceOf });
    this.#subscriptions = new RecordedTable(parts, {
      kind: "subscription",
      entity: SubscriptionEntity,
      valueOf: subscriptionOf,
    });
  }

  async findNode(nodeId: string): Promise<MeshNode | undefined> {
    await this.#locks.take("node", nodeId);
    const row = await this.#manager.findOneBy(NodeEntity, { id: nodeId });
    return row === null ? undefined : nodeOf(row);
  }

  async putNode(node: MeshNode, leaseTtlMs: number): Promise<PutOutcome> {
    const existing = await this.findNode(node.id);
    const row = nodeRowOf(node);
    const value = nodeOf({ ...row, leaseExpiresAt: new Date(0) });
    if (existing === undefined) {
      await this.#manager.insert(NodeEntity, { ...row, leaseExpiresAt: leaseEnd(leaseTtlMs) });
    } else {
      await this.#manager.update(NodeEntity, { id: node.id }, { ...row, leaseExpiresAt: leaseEnd(leaseTtlMs) });
      if (isDeepStrictEqual(existing, value)) return "unchanged";
    }
    this.#recorder.record({ kind: "node", key: node.id, value });
    return existing === undefined ? "created" : "configured";
  }

  async renewLease(nodeId: string, leaseTtlMs: number): Promise<boolean> {
    const { affected } = await this.#manager.update(
      NodeEntity,
      { id: nodeId },
      { leaseExpiresAt: leaseEnd(leaseTtlMs) },
    );
    return affected === 1;
  }

  async removeNode(nodeId: string): Promise<boolean> {
    if ((await this.findNode(nodeId)) === undefined) return false;
    for (const row of await this.#manager.find(InstanceEntity, { where: { nodeId }, order: { key: "ASC" } })) {
      this.#recorder.record({ kind: "instance", key: row.key, value: undefined });
    }
    for (const row of await this.#manager.find(SubscriptionEntity, { where: { nodeId }, order: { key: "ASC" } })) {
      this.#recorder.record({ kind: "subscription", key: row.key, value: undefined });
    }
    await this.#manager.delete(InstanceEntity, { nodeId });
    await this.#manager.delete(SubscriptionEntity, { nodeId });
    await this.#manager.delete(NodeEntity, { id: nodeId });
    this.#recorder.record({ kind: "node", key: nodeId, value: undefined });
    return true;
  }

  async expireNodes(limit: number): Promise<string[]> {
    const overdue: { id: string }[] = await this.#manager.query(
      "SELECT id FROM node WHERE lease_expires_at < now() ORDER BY id LIMIT $1",
      [limit],
    );
    const expired: string[] = [];
    for (const { id } of overdue) {
      await this.#locks.take("node", id);
      // Asked again under the lock, with a clock that has moved on: it may have been renewed meanwhile.
      const still: unknown[] = await this.#manager.query(
        "SELECT 1 FROM node WHERE id = $1 AND lease_expires_at < clock_timestamp() FOR UPDATE",
        [id],
      );
      if (still.length > 0 && (await this.removeNode(id))) expired.push(id);
    }
    return expired;
  }

  async findInstances(filter: InstanceFilter): Promise<Instance[]> {
    await this.#locks.take("node", filter.nodeId);
    const where: FindOptionsWhere<InstanceRow> = { nodeId: filter.nodeId };
    if (filter.interface !== undefined) where.interface = filter.interface;
    if (filter.protocol !== undefined) where.protocol = In([filter.protocol]);
    if (filter.version !== undefined) where.version = filter.version;
    if (filter.group !== undefined) where.group = filter.group;
    if (filter.port !== undefined) where.port = filter.port;
    return (await this.#manager.find(InstanceEntity, { where, order: { key: "ASC" } })).map(instanceOf);
  }

  async countInstances(nodeId: string): Promise<number> {
    await this.#locks.take("node", nodeId);
    return await this.#manager.countBy(InstanceEntity, { nodeId });
  }

  async putInstance(instance: Instance): Promise<PutOutcome> {
    await this.#locks.take("node", instance.nodeId);
    return await this.#instances.put(instanceRowOf(instance));
  }

  async removeInstance(instance: Instance): Promise<boolean> {
    return await this.#instances.remove(instanceKey(instance));
  }

  async countSubscriptions(nodeId: string): Promise<number> {
    await this.#locks.take("node", nodeId);
    return await this.#manager.countBy(SubscriptionEntity, { nodeId });
  }

  async putSubscription(subscription: Subscription): Promise<PutOutcome> {
    await this.#locks.take("node", subscription.nodeId);
    return await this.#subscriptions.put(subscriptionRowOf(subscription));
  }

  async removeSubscription(subscription: Subscription): Promise<boolean> {
    await this.#locks.take("node", subscription.nodeId);
    return await this.#subscriptions.remove(subscriptionKey(subscription));
  }
}
