import {
  type Instance,
  instanceKey,
  type MeshNode,
  type PolicyObject,
  policyKey,
  type Service,
  type Subscription,
  subscriptionKey,
} from "@fairlead/model";
import type { InstanceRow, NodeRow, PolicyRow, ServiceRow, SubscriptionRow } from "./catalogue-entities.ts";

/** Between the model and the tables. `undefined` is NULL; an object made from a row has no undefined fields. */

export function nodeOf(row: NodeRow): MeshNode {
  const { id, app, address, inboundPort, outboundPort, outboundRpcPort, labels } = row;
  return {
    id,
    app,
    address,
    ...(inboundPort === null ? {} : { inboundPort }),
    ...(outboundPort === null ? {} : { outboundPort }),
    ...(outboundRpcPort === null ? {} : { outboundRpcPort }),
    labels,
  };
}

export function nodeRowOf(node: MeshNode): Omit<NodeRow, "leaseExpiresAt"> {
  const { id, app, address, inboundPort, outboundPort, outboundRpcPort, labels } = node;
  return {
    id,
    app,
    address,
    inboundPort: inboundPort ?? null,
    outboundPort: outboundPort ?? null,
    outboundRpcPort: outboundRpcPort ?? null,
    labels,
  };
}

export function serviceOf(row: ServiceRow): Service {
  return { interface: row.interface, protocol: row.protocol };
}

export function instanceOf(row: InstanceRow): Instance {
  // Field by field: a mirrored registry has tens of thousands, and a rest of an object costs as much as writing it into JSON.
  const { nodeId, protocol, port, version, group, methods, labels, weight, state } = row;
  return { nodeId, interface: row.interface, protocol, port, version, group, methods, labels, weight, state };
}

export function instanceRowOf(instance: Instance): InstanceRow {
  const { nodeId, protocol, port, version, group, weight, state } = instance;
  return {
    key: instanceKey(instance),
    nodeId,
    interface: instance.interface,
    protocol,
    port,
    version,
    group,
    methods: [...instance.methods],
    labels: instance.labels,
    weight,
    state,
  };
}

export function subscriptionOf(row: SubscriptionRow): Subscription {
  return { nodeId: row.nodeId, interface: row.interface };
}

export function subscriptionRowOf(subscription: Subscription): SubscriptionRow {
  return { key: subscriptionKey(subscription), nodeId: subscription.nodeId, interface: subscription.interface };
}

export function policyOf(row: PolicyRow): PolicyObject {
  const { key: _, ...policy } = row;
  return policy;
}

export function policyRowOf(policy: PolicyObject): PolicyRow {
  const { kind, namespace, name, file, line, text } = policy;
  return { key: policyKey(policy), kind, namespace, name, file, line, text };
}
