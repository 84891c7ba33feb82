import { isDeepStrictEqual } from "node:util";
import type { EntityManager, EntitySchema, FindOptionsWhere } from "typeorm";
import type { QueryDeepPartialEntity } from "typeorm/query-builder/QueryPartialEntity.js";
import type { PutOutcome } from "./catalogue-writer.ts";
import type { ChangeRecorder, RecordedChange } from "./change-recorder.ts";
import type { TransactionLocks } from "./transaction-locks.ts";

/** What the writers of one transaction work with. */
export interface TransactionParts {
  readonly manager: EntityManager;
  readonly locks: TransactionLocks;
  readonly recorder: ChangeRecorder;
}

export interface RecordedTableOptions<Row, Value> {
  readonly kind: RecordedChange["kind"];
  readonly entity: EntitySchema<Row>;
  readonly valueOf: (row: Row) => Value;
}

/** A table of the catalogue whose rows have a key: what really changes in it is recorded. The caller holds the lock. */
export class RecordedTable<Row extends { key: string }, Value extends NonNullable<RecordedChange["value"]>> {
  readonly #parts: TransactionParts;
  readonly #options: RecordedTableOptions<Row, Value>;

  constructor(parts: TransactionParts, options: RecordedTableOptions<Row, Value>) {
    this.#parts = parts;
    this.#options = options;
  }

  async put(row: Row): Promise<PutOutcome> {
    const { manager, recorder } = this.#parts;
    const { kind, entity, valueOf } = this.#options;
    const { key } = row;
    const value = valueOf(row);
    const where = { key } as FindOptionsWhere<Row>;
    const existing = await manager.findOneBy(entity, where);
    if (existing !== null && isDeepStrictEqual(valueOf(existing), value)) return "unchanged";
    if (existing === null) await manager.insert(entity, row as QueryDeepPartialEntity<Row>);
    else await manager.update(entity, where, row as QueryDeepPartialEntity<Row>);
    recorder.record({ kind, key, value });
    return existing === null ? "created" : "configured";
  }

  /** @returns false when there is none */
  async remove(key: string): Promise<boolean> {
    const { manager, recorder } = this.#parts;
    const { kind, entity } = this.#options;
    const { affected } = await manager.delete(entity, { key });
    if (affected !== 1) return false;
    recorder.record({ kind, key, value: undefined });
    return true;
  }
}
