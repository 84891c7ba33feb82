import type { EntityManager } from "typeorm";
import { BulkRegistrations } from "./bulk-registrations.ts";
import type { CatalogueTransaction } from "./catalogue-writer.ts";
import type { ChangeRecorder } from "./change-recorder.ts";
import { PolicyRows } from "./policy-rows.ts";
import { RegistrationRows } from "./registration-rows.ts";
import { ServiceRows } from "./service-rows.ts";
import { TransactionLocks } from "./transaction-locks.ts";

/** The transaction that `work` of a write gets: its changes end in `recorder`. */
export function catalogueTransaction(manager: EntityManager, recorder: ChangeRecorder): CatalogueTransaction {
  const parts = { manager, recorder, locks: new TransactionLocks(manager) };
  const registrations = new RegistrationRows(parts);
  const services = new ServiceRows(parts);
  const policies = new PolicyRows(parts);
  const bulk = new BulkRegistrations(parts);
  return {
    findNode: (nodeId) => registrations.findNode(nodeId),
    putNode: (node, leaseTtlMs) => registrations.putNode(node, leaseTtlMs),
    renewLease: (nodeId, leaseTtlMs) => registrations.renewLease(nodeId, leaseTtlMs),
    removeNode: (nodeId) => registrations.removeNode(nodeId),
    expireNodes: (limit) => registrations.expireNodes(limit),
    publishService: (service) => services.publishService(service),
    subscribeService: (name, protocol) => services.subscribeService(name, protocol),
    removeUnusedServices: (retentionMs, limit) => services.removeUnusedServices(retentionMs, limit),
    findInstances: (filter) => registrations.findInstances(filter),
    countInstances: (nodeId) => registrations.countInstances(nodeId),
    putInstance: (instance) => registrations.putInstance(instance),
    removeInstance: (instance) => registrations.removeInstance(instance),
    countSubscriptions: (nodeId) => registrations.countSubscriptions(nodeId),
    putSubscription: (subscription) => registrations.putSubscription(subscription),
    removeSubscription: (subscription) => registrations.removeSubscription(subscription),
    findInstancesOf: (nodePrefix) => bulk.find(nodePrefix),
    findMirroredRegistries: () => bulk.registries(),
    putMirrored: (nodes, instances) => bulk.put(nodes, instances),
    removeMirrored: (instances) => bulk.remove(instances),
    putPolicy: (policy) => policies.putPolicy(policy),
    removePolicy: (policy) => policies.removePolicy(policy),
  };
}
