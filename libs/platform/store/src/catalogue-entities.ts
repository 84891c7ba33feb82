import type { InstanceState, PolicyKind, Protocol } from "@fairlead/model";
import { EntitySchema } from "typeorm";

/** The catalogue as it is now. `key` is that of the model's `…Key` functions. */

export interface NodeRow {
  id: string;
  app: string;
  address: string;
  inboundPort: number | null;
  outboundPort: number | null;
  outboundRpcPort: number | null;
  labels: Record<string, string>;
  /** By PostgreSQL's clock. Not indexed: a renewal stays an update in place. */
  leaseExpiresAt: Date;
}

export const NodeEntity = new EntitySchema<NodeRow>({
  name: "node",
  columns: {
    id: { type: "text", primary: true, primaryKeyConstraintName: "node_pkey" },
    app: { type: "text" },
    address: { type: "text" },
    inboundPort: { type: "integer", name: "inbound_port", nullable: true },
    outboundPort: { type: "integer", name: "outbound_port", nullable: true },
    outboundRpcPort: { type: "integer", name: "outbound_rpc_port", nullable: true },
    labels: { type: "jsonb" },
    leaseExpiresAt: { type: "timestamptz", name: "lease_expires_at" },
  },
});

export interface ServiceRow {
  key: string;
  interface: string;
  protocol: Protocol;
  /** A subscription came first and nobody has published it: the protocol is a guess that a publication corrects. */
  assumed: boolean;
  /** Since when the sweeper has seen no instance and no subscription. */
  unusedSince: Date | null;
}

export const ServiceEntity = new EntitySchema<ServiceRow>({
  name: "service",
  columns: {
    key: { type: "text", primary: true, primaryKeyConstraintName: "service_pkey" },
    interface: { type: "text" },
    protocol: { type: "text" },
    assumed: { type: "boolean" },
    unusedSince: { type: "timestamptz", name: "unused_since", nullable: true },
  },
  indices: [{ name: "service_interface", columns: ["interface"] }],
});

export interface InstanceRow {
  key: string;
  nodeId: string;
  interface: string;
  protocol: Protocol;
  port: number;
  version: string;
  group: string;
  methods: string[];
  labels: Record<string, string>;
  weight: number;
  state: InstanceState;
}

export const InstanceEntity = new EntitySchema<InstanceRow>({
  name: "instance",
  columns: {
    key: { type: "text", primary: true, primaryKeyConstraintName: "instance_pkey" },
    nodeId: { type: "text", name: "node_id" },
    interface: { type: "text" },
    protocol: { type: "text" },
    port: { type: "integer" },
    version: { type: "text" },
    group: { type: "text", name: "service_group" },
    methods: { type: "jsonb" },
    labels: { type: "jsonb" },
    weight: { type: "integer" },
    state: { type: "text" },
  },
  indices: [
    { name: "instance_node", columns: ["nodeId"] },
    { name: "instance_interface", columns: ["interface"] },
  ],
  foreignKeys: [{ name: "instance_node_fkey", target: "node", columnNames: ["nodeId"], referencedColumnNames: ["id"] }],
});

export interface SubscriptionRow {
  key: string;
  nodeId: string;
  interface: string;
}

export const SubscriptionEntity = new EntitySchema<SubscriptionRow>({
  name: "subscription",
  columns: {
    key: { type: "text", primary: true, primaryKeyConstraintName: "subscription_pkey" },
    nodeId: { type: "text", name: "node_id" },
    interface: { type: "text" },
  },
  indices: [
    { name: "subscription_node", columns: ["nodeId"] },
    { name: "subscription_interface", columns: ["interface"] },
  ],
  foreignKeys: [
    { name: "subscription_node_fkey", target: "node", columnNames: ["nodeId"], referencedColumnNames: ["id"] },
  ],
});

export interface PolicyRow {
  key: string;
  kind: PolicyKind;
  namespace: string;
  name: string;
  file: string;
  line: number;
  text: string;
}

export const PolicyEntity = new EntitySchema<PolicyRow>({
  name: "policy",
  columns: {
    key: { type: "text", primary: true, primaryKeyConstraintName: "policy_pkey" },
    kind: { type: "text" },
    namespace: { type: "text" },
    name: { type: "text" },
    file: { type: "text" },
    line: { type: "integer" },
    text: { type: "text" },
  },
});
