import type { Instance, MeshNode, PolicyObject, Service, Subscription } from "@fairlead/model";
import { type EntitySchema, type FindOptionsWhere, MoreThan, type ObjectLiteral } from "typeorm";
import { InstanceEntity, type NodeRow, PolicyEntity, ServiceEntity, SubscriptionEntity } from "./catalogue-entities.ts";
import type { Database } from "./database.ts";
import { instanceOf, nodeOf, policyOf, serviceOf, subscriptionOf } from "./row-mapping.ts";

export interface PageRequest {
  /** Key of the last object of the page before; undefined = from the beginning. */
  readonly after?: string | undefined;
  readonly limit: number;
}

/** Objects in the order of their keys. */
export interface Page<T> {
  readonly items: readonly T[];
  /** Where the next page begins; undefined = this is the last one. */
  readonly next: string | undefined;
}

export interface RegisteredNode extends MeshNode {
  /** How long its lease still is; negative when it is over and the sweeper has not come yet. */
  readonly leaseRemainingMs: number;
}

/** Lists for people and tools. All reject with FL_STORE_UNAVAILABLE when PostgreSQL does not answer. */
export interface CatalogueQueries {
  listNodes(page: PageRequest): Promise<Page<RegisteredNode>>;
  listServices(page: PageRequest & { interface?: string | undefined }): Promise<Page<Service>>;
  listInstances(
    page: PageRequest & { interface?: string | undefined; nodeId?: string | undefined },
  ): Promise<Page<Instance>>;
  listSubscriptions(
    page: PageRequest & { interface?: string | undefined; nodeId?: string | undefined },
  ): Promise<Page<Subscription>>;
  listPolicies(page: PageRequest): Promise<Page<PolicyObject>>;
  /** Those of `keys` that exist, by key. */
  findPolicies(keys: readonly string[]): Promise<Map<string, PolicyObject>>;
  /**
   * Nodes whose lease has not ended and that have a proxy which calls others.
   *
   * @param leaseTtlMs what leases are renewed for: tells how long ago each was
   */
  liveProxies(leaseTtlMs: number): Promise<readonly { readonly id: string; readonly renewedAgoMs: number }[]>;
}

/** Leaves out filters that are not given: TypeORM refuses undefined. */
function given(filter: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(filter).flatMap(([field, value]) => (value === undefined ? [] : [[field, value]])),
  );
}

async function pageOf<Row extends ObjectLiteral, T>(
  database: Database,
  entity: EntitySchema<Row>,
  keyField: "id" | "key",
  request: PageRequest,
  filter: Record<string, string | undefined>,
  map: (row: Row) => T,
): Promise<Page<T>> {
  const where = { ...given(filter), ...(request.after === undefined ? {} : { [keyField]: MoreThan(request.after) }) };
  const rows = await database.transaction("READ COMMITTED", (manager) =>
    manager
      .createQueryBuilder(entity, "row")
      .where(where as FindOptionsWhere<Row>)
      .orderBy(`row.${keyField}`)
      .limit(request.limit + 1)
      .getMany(),
  );
  const items = rows.slice(0, request.limit);
  const last: unknown = items.at(-1)?.[keyField];
  return { items: items.map(map), next: rows.length > request.limit && typeof last === "string" ? last : undefined };
}

export function catalogueQueries(database: Database): CatalogueQueries {
  return {
    async listNodes(request) {
      const rows = await database.transaction("READ COMMITTED", async (manager) => {
        const raw: (NodeRow & { leaseRemainingMs: string })[] = await manager.query(
          `SELECT id, app, address, inbound_port AS "inboundPort", outbound_port AS "outboundPort",
             outbound_rpc_port AS "outboundRpcPort", labels,
             extract(epoch FROM lease_expires_at - now()) * 1000 AS "leaseRemainingMs"
           FROM node WHERE $1::text IS NULL OR id > $1 ORDER BY id LIMIT $2`,
          [request.after ?? null, request.limit + 1],
        );
        return raw;
      });
      const items = rows
        .slice(0, request.limit)
        .map((row) => ({ ...nodeOf(row), leaseRemainingMs: Math.round(Number(row.leaseRemainingMs)) }));
      return { items, next: rows.length > request.limit ? items.at(-1)?.id : undefined };
    },
    listServices: (request) =>
      pageOf(database, ServiceEntity, "key", request, { interface: request.interface }, serviceOf),
    listInstances: (request) =>
      pageOf(
        database,
        InstanceEntity,
        "key",
        request,
        { interface: request.interface, nodeId: request.nodeId },
        instanceOf,
      ),
    listSubscriptions: (request) =>
      pageOf(
        database,
        SubscriptionEntity,
        "key",
        request,
        { interface: request.interface, nodeId: request.nodeId },
        subscriptionOf,
      ),
    listPolicies: (request) => pageOf(database, PolicyEntity, "key", request, {}, policyOf),
    async liveProxies(leaseTtlMs) {
      return await database.transaction("READ COMMITTED", async (manager) => {
        const rows: { id: string; remaining: string }[] = await manager.query(
          `SELECT id, extract(epoch FROM lease_expires_at - now()) * 1000 AS remaining
           FROM node WHERE outbound_port IS NOT NULL AND lease_expires_at > now()`,
        );
        return rows.map(({ id, remaining }) => ({ id, renewedAgoMs: Math.max(0, leaseTtlMs - Number(remaining)) }));
      });
    },
    async findPolicies(keys) {
      const rows = await database.transaction("READ COMMITTED", (manager) =>
        manager.createQueryBuilder(PolicyEntity, "row").where("row.key = ANY(:keys)", { keys }).getMany(),
      );
      return new Map(rows.map((row) => [row.key, policyOf(row)]));
    },
  };
}
