import { FairleadError } from "@fairlead/errors";
import { type Protocol, type Service, serviceKey } from "@fairlead/model";
import type { EntityManager } from "typeorm";
import { InstanceEntity, ServiceEntity, type ServiceRow } from "./catalogue-entities.ts";
import type { ChangeRecorder } from "./change-recorder.ts";
import type { TransactionParts } from "./recorded-table.ts";
import { serviceOf } from "./row-mapping.ts";
import type { TransactionLocks } from "./transaction-locks.ts";
import "./errors.ts";

const unused = `
  NOT EXISTS (SELECT 1 FROM instance i WHERE i.interface = s.interface AND i.protocol = s.protocol)
  AND NOT EXISTS (SELECT 1 FROM subscription c WHERE c.interface = s.interface)`;

/** Services: they come with their first publication or subscription, and go when they were not used for a while. */
export class ServiceRows {
  readonly #manager: EntityManager;
  readonly #locks: TransactionLocks;
  readonly #recorder: ChangeRecorder;

  constructor({ manager, locks, recorder }: TransactionParts) {
    this.#manager = manager;
    this.#locks = locks;
    this.#recorder = recorder;
  }

  async publishService(service: Service): Promise<void> {
    const key = serviceKey(service);
    const isSettled = (rows: readonly ServiceRow[]) =>
      rows.some((row) => row.key === key) && rows.every((row) => !row.assumed && row.unusedSince === null);
    if (await this.#isKept(service.interface, isSettled)) return;
    const rows = await this.#rowsOf(service.interface);
    const own = rows.find((row) => row.key === key);
    if (own === undefined) {
      await this.#claim(service.interface, ({ assumed }) => !assumed);
      await this.#insert(service, false);
    } else if (own.assumed) await this.#manager.update(ServiceEntity, { key }, { assumed: false });
    for (const other of rows) {
      if (!other.assumed || other.key === key) continue;
      const { interface: name, protocol } = other;
      if (!(await this.#manager.existsBy(InstanceEntity, { interface: name, protocol }))) await this.#remove(other);
    }
  }

  async subscribeService(name: string, protocol: Protocol): Promise<void> {
    if (await this.#isKept(name, (rows) => rows.length > 0 && rows.every((row) => row.unusedSince === null))) return;
    const rows = await this.#rowsOf(name);
    if (rows.length > 0) return;
    await this.#claim(name, () => true);
    await this.#insert({ interface: name, protocol }, true);
  }

  async removeUnusedServices(retentionMs: number, limit: number): Promise<Service[]> {
    // A mark may be wrong by a registration that commits at the same time: it is checked under the lock before it counts.
    await this.#manager.query(`UPDATE service s SET unused_since = now() WHERE unused_since IS NULL AND ${unused}`);
    const candidates: { key: string; interface: string }[] = await this.#manager.query(
      `SELECT key, interface FROM service WHERE unused_since < now() - $1 * interval '1 millisecond' ORDER BY interface, key LIMIT $2`,
      [retentionMs, limit],
    );
    const removed: Service[] = [];
    for (const { key, interface: name } of candidates) {
      await this.#locks.take("interface", name);
      const row = await this.#manager.findOneBy(ServiceEntity, { key });
      if (row === null) continue;
      const gone: unknown[] = await this.#manager.query(
        `SELECT 1 FROM service s WHERE key = $1 AND unused_since IS NOT NULL AND ${unused}`,
        [key],
      );
      if (gone.length === 0) {
        await this.#manager.update(ServiceEntity, { key }, { unusedSince: null });
      } else {
        await this.#remove(row);
        removed.push(serviceOf(row));
      }
    }
    return removed;
  }

  /**
   * Whether there is nothing to do; then the rows stay until the transaction ends. All nodes of a service that start together
   * come this way, so they do not wait for each other.
   */
  async #isKept(name: string, isSettled: (rows: readonly ServiceRow[]) => boolean): Promise<boolean> {
    // Looked at first without the lock: to share it and then take it alone is what deadlocks are made of.
    if (!isSettled(await this.#manager.findBy(ServiceEntity, { interface: name }))) return false;
    await this.#locks.share("interface", name);
    return isSettled(await this.#manager.findBy(ServiceEntity, { interface: name }));
  }

  /** All of one interface, under its lock, marked as used. */
  async #rowsOf(name: string): Promise<ServiceRow[]> {
    await this.#locks.take("interface", name);
    const rows = await this.#manager.findBy(ServiceEntity, { interface: name });
    if (rows.some((row) => row.unusedSince !== null)) {
      await this.#manager.update(ServiceEntity, { interface: name }, { unusedSince: null });
    }
    return rows;
  }

  /**
   * Host names have no case: whose interface was there first keeps the calls.
   *
   * @param keepsName whether that service does; the others go
   * @throws FairleadError FL_INTERFACE_TAKEN
   */
  async #claim(name: string, keepsName: (row: ServiceRow) => boolean): Promise<void> {
    await this.#locks.take("name", name.toLowerCase());
    const rows = await this.#manager
      .createQueryBuilder(ServiceEntity, "service")
      .where("lower(service.interface) = lower(:name) AND service.interface <> :name", { name })
      .orderBy("service.key")
      .getMany();
    const first = rows.find(keepsName);
    if (first !== undefined)
      throw new FairleadError(
        "FL_INTERFACE_TAKEN",
        `${name} differs from ${first.interface} (${first.protocol}), which is there already, in upper and lower case only`,
        { facts: { interface: name, taken: first.interface } },
      );
    for (const row of rows) await this.#remove(row);
  }

  async #insert(service: Service, assumed: boolean): Promise<void> {
    const key = serviceKey(service);
    const value: Service = { interface: service.interface, protocol: service.protocol };
    await this.#manager.insert(ServiceEntity, { key, ...value, assumed, unusedSince: null });
    this.#recorder.record({ kind: "service", key, value });
  }

  async #remove(row: ServiceRow): Promise<void> {
    await this.#manager.delete(ServiceEntity, { key: row.key });
    this.#recorder.record({ kind: "service", key: row.key, value: undefined });
  }
}
