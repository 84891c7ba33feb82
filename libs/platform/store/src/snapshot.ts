import { type Catalogue, instanceKey, policyKey, serviceKey, subscriptionKey } from "@fairlead/model";
import { InstanceEntity, NodeEntity, PolicyEntity, ServiceEntity, SubscriptionEntity } from "./catalogue-entities.ts";
import type { Database } from "./database.ts";
import { instanceOf, nodeOf, policyOf, serviceOf, subscriptionOf } from "./row-mapping.ts";

function byKey<T>(items: readonly T[], key: (item: T) => string): Map<string, T> {
  return new Map(items.map((item) => [key(item), item]));
}

/** Everything, as one transaction sees it: the tables and the revision fit each other. */
export async function readSnapshot(database: Database): Promise<Catalogue> {
  return await database.transaction("REPEATABLE READ READ ONLY", async (manager) => {
    const counter: { value: string }[] = await manager.query("SELECT value FROM catalogue_revision");
    return {
      revision: Number(counter[0]!.value),
      nodes: byKey((await manager.find(NodeEntity)).map(nodeOf), (node) => node.id),
      services: byKey((await manager.find(ServiceEntity)).map(serviceOf), serviceKey),
      instances: byKey((await manager.find(InstanceEntity)).map(instanceOf), instanceKey),
      subscriptions: byKey((await manager.find(SubscriptionEntity)).map(subscriptionOf), subscriptionKey),
      policies: byKey((await manager.find(PolicyEntity)).map(policyOf), policyKey),
    };
  });
}
