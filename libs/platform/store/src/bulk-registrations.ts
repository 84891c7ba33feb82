import { type Instance, instanceKey, type MeshNode, type Service, serviceKey } from "@fairlead/model";
import type { EntityManager } from "typeorm";
import type { ChangeRecorder } from "./change-recorder.ts";
import type { TransactionParts } from "./recorded-table.ts";
import { instanceOf, instanceRowOf, nodeOf, nodeRowOf } from "./row-mapping.ts";

/** Rows of one statement: its JSON stays at some MB. */
const chunkRows = 2_000;

/** Locks of many interfaces, in the order that all take them in. The class is that of TransactionLocks' `interface`. */
const lockInterfaces = `
  SELECT pg_advisory_xact_lock(2, hash) FROM (
    SELECT DISTINCT hashtext(name) AS hash FROM unnest($1::text[]) AS name ORDER BY 1
  ) AS hashes`;

const lockNames = `
  SELECT pg_advisory_xact_lock(4, hash) FROM (
    SELECT DISTINCT hashtext(lower(name)) AS hash FROM unnest($1::text[]) AS name ORDER BY 1
  ) AS hashes`;

/** Interfaces that would be new, and differ in case only from one that is there. */
const takenNames = `
  SELECT DISTINCT name AS key FROM unnest($1::text[]) AS name
  JOIN service s ON lower(s.interface) = lower(name) AND s.interface <> name AND NOT s.assumed
  WHERE NOT EXISTS (SELECT 1 FROM service own WHERE own.interface = name AND NOT own.assumed)`;

/** A node of a registry that the mesh mirrors renews no lease: who mirrors it removes it. */
const putNodes = `
  INSERT INTO node (id, app, address, inbound_port, outbound_port, labels, lease_expires_at)
  SELECT id, app, address, "inboundPort", "outboundPort", labels, now() + interval '100 years'
  FROM jsonb_to_recordset($1::jsonb) AS row (id text, app text, address text, "inboundPort" integer, "outboundPort" integer, labels jsonb)
  ON CONFLICT (id) DO UPDATE SET app = excluded.app, address = excluded.address, labels = excluded.labels
    WHERE (node.app, node.address, node.labels) IS DISTINCT FROM (excluded.app, excluded.address, excluded.labels)
  RETURNING id AS key`;

const putServices = `
  INSERT INTO service (key, interface, protocol, assumed)
  SELECT key, interface, protocol, false FROM jsonb_to_recordset($1::jsonb) AS row (key text, interface text, protocol text)
  ON CONFLICT (key) DO UPDATE SET assumed = false, unused_since = NULL
    WHERE service.assumed OR service.unused_since IS NOT NULL
  RETURNING key`;

/** Guesses of subscriptions, now that somebody has said what the interface speaks. */
const removeAssumed = `
  DELETE FROM service s
  WHERE s.assumed AND lower(s.interface) IN (SELECT lower(name) FROM unnest($1::text[]) AS name)
    AND NOT EXISTS (SELECT 1 FROM instance i WHERE i.interface = s.interface AND i.protocol = s.protocol)
  RETURNING key`;

const columns = "node_id, interface, protocol, port, version, service_group, methods, labels, weight, state";
const putInstances = `
  INSERT INTO instance (key, ${columns})
  SELECT key, "nodeId", interface, protocol, port, version, "group", methods, labels, weight, state
  FROM jsonb_to_recordset($1::jsonb) AS row (key text, "nodeId" text, interface text, protocol text, port integer,
    version text, "group" text, methods jsonb, labels jsonb, weight integer, state text)
  ON CONFLICT (key) DO UPDATE SET methods = excluded.methods, labels = excluded.labels, weight = excluded.weight, state = excluded.state
    WHERE (instance.methods, instance.labels, instance.weight, instance.state)
      IS DISTINCT FROM (excluded.methods, excluded.labels, excluded.weight, excluded.state)
  RETURNING key`;

const removeEmptyNodes = `
  DELETE FROM node n WHERE n.id = ANY($1::text[]) AND NOT EXISTS (SELECT 1 FROM instance i WHERE i.node_id = n.id)
    AND NOT EXISTS (SELECT 1 FROM subscription c WHERE c.node_id = n.id)
  RETURNING id AS key`;

/**
 * Registrations of others in bulk, as a registry that the mesh mirrors has them: a statement for thousands, where nodes of the mesh are
 * written one by one under their locks. Only one process at a time may write the nodes of a registry.
 */
export class BulkRegistrations {
  readonly #manager: EntityManager;
  readonly #recorder: ChangeRecorder;

  constructor({ manager, recorder }: TransactionParts) {
    this.#manager = manager;
    this.#recorder = recorder;
  }

  /** Instances of nodes whose id begins so, in the order of their keys. */
  async find(nodePrefix: string): Promise<Instance[]> {
    const rows: Parameters<typeof instanceOf>[0][] = await this.#manager.query(
      `SELECT key, node_id AS "nodeId", interface, protocol, port, version, service_group AS "group", methods, labels, weight, state
       FROM instance WHERE starts_with(node_id, $1) ORDER BY key COLLATE "C"`,
      [nodePrefix],
    );
    return rows.map(instanceOf);
  }

  async registries(): Promise<string[]> {
    const rows: { name: string }[] = await this.#manager.query(
      `SELECT split_part(id, '~', 2) AS name FROM node WHERE starts_with(id, 'registry~')
       UNION SELECT substr(namespace, 2) FROM policy WHERE starts_with(namespace, '~') ORDER BY name`,
    );
    return rows.map(({ name }) => name);
  }

  /** @returns interfaces that were left out, with their instances: others are there that differ in upper and lower case only */
  async put(nodes: readonly MeshNode[], instances: readonly Instance[]): Promise<readonly string[]> {
    const taken = await this.#takenNames([...new Set(instances.map((instance) => instance.interface))]);
    if (taken.size === 0) await this.#put(nodes, instances);
    else {
      const kept = instances.filter((instance) => !taken.has(instance.interface));
      const used = new Set(kept.map(({ nodeId }) => nodeId));
      await this.#put(
        nodes.filter(({ id }) => used.has(id)),
        kept,
      );
    }
    return [...taken];
  }

  /** Of several that differ in case only the first counts, if none is there already. */
  async #takenNames(names: readonly string[]): Promise<ReadonlySet<string>> {
    await this.#manager.query(lockInterfaces, [names]);
    await this.#manager.query(lockNames, [names]);
    const taken = new Set((await this.#returning(takenNames, [names])).map(({ key }) => key));
    const first = new Map<string, string>();
    for (const name of names) {
      if (taken.has(name)) continue;
      const lower = name.toLowerCase();
      if (first.has(lower)) taken.add(name);
      else first.set(lower, name);
    }
    return taken;
  }

  async #put(nodes: readonly MeshNode[], instances: readonly Instance[]): Promise<void> {
    const services = new Map<string, Service>();
    for (const { interface: name, protocol } of instances) {
      const key = serviceKey({ interface: name, protocol });
      if (!services.has(key)) services.set(key, { interface: name, protocol });
    }
    const names = [...new Set(instances.map((instance) => instance.interface))];
    const nodeRows = new Map(nodes.map((node) => [node.id, nodeRowOf(node)]));
    for (const key of await this.#write(putNodes, [...nodeRows.values()])) {
      this.#recorder.record({
        kind: "node",
        key,
        value: nodeOf({ ...nodeRows.get(key)!, leaseExpiresAt: new Date(0) }),
      });
    }
    const serviceRows = [...services].map(([key, service]) => ({ key, ...service }));
    const value = (key: string): Service => services.get(key)!;
    for (const key of await this.#write(putServices, serviceRows))
      this.#recorder.record({ kind: "service", key, value: value(key) });
    for (const { key } of await this.#returning(removeAssumed, [names])) {
      this.#recorder.record({ kind: "service", key, value: undefined });
    }
    const instanceRows = new Map(instances.map((instance) => [instanceKey(instance), instanceRowOf(instance)]));
    for (const key of await this.#write(putInstances, [...instanceRows.values()])) {
      this.#recorder.record({ kind: "instance", key, value: instanceOf(instanceRows.get(key)!) });
    }
  }

  /** With their nodes, where nothing is left of these. */
  async remove(instances: readonly Instance[]): Promise<void> {
    const keys = instances.map(instanceKey);
    for (const { key } of await this.#returning("DELETE FROM instance WHERE key = ANY($1::text[]) RETURNING key", [
      keys,
    ])) {
      this.#recorder.record({ kind: "instance", key, value: undefined });
    }
    const nodeIds = [...new Set(instances.map(({ nodeId }) => nodeId))];
    for (const { key } of await this.#returning(removeEmptyNodes, [nodeIds])) {
      this.#recorder.record({ kind: "node", key, value: undefined });
    }
  }

  /** @returns the keys of the rows that are new or other than before */
  async #write(statement: string, rows: readonly object[]): Promise<string[]> {
    const changed: string[] = [];
    for (let at = 0; at < rows.length; at += chunkRows) {
      const written = await this.#returning(statement, [JSON.stringify(rows.slice(at, at + chunkRows))]);
      changed.push(...written.map(({ key }) => key));
    }
    return changed;
  }

  async #returning(statement: string, parameters: unknown[]): Promise<{ readonly key: string }[]> {
    const result: unknown = await this.#manager.query(statement, parameters);
    // TypeORM gives rows of an INSERT as they are, those of DELETE and UPDATE with their count behind.
    const rows: unknown = Array.isArray(result) && Array.isArray(result[0]) ? result[0] : result;
    return (rows as { key: string }[]).map(({ key }) => ({ key }));
  }
}
