import type { Change } from "@fairlead/model";
import type { EntityManager } from "typeorm";

/** A change before it has its revision. */
export type RecordedChange = Pick<Change, "kind" | "key" | "value">;

/** Objects that the announcement of a revision names: it is a hint, and the change log has them all. */
const maxAnnounced = 1000;

/** Collects what one transaction changes, the last value of each object, and writes it as the transaction's last statement. */
export class ChangeRecorder {
  readonly #changes = new Map<string, RecordedChange>();

  record(change: RecordedChange): void {
    const id = `${change.kind} ${change.key}`;
    this.#changes.delete(id); // the order is that of the last writes
    this.#changes.set(id, change);
  }

  get changes(): RecordedChange[] {
    return [...this.#changes.values()];
  }

  /**
   * Takes the next revision and writes change log and outbox, all in one statement. The row of the counter stays locked until
   * the commit that follows at once: so revisions have no gaps and are committed in their order, which a sequence would not give.
   *
   * @returns the revision that holds the changes; without any, the newest one
   */
  async finish(manager: EntityManager, traceparent: string | undefined): Promise<number> {
    const rows: { value: string }[] =
      this.#changes.size === 0
        ? await manager.query("SELECT value FROM catalogue_revision")
        : await manager.query(finishStatement, [
            JSON.stringify(this.changes.map(({ kind, key, value }, ordinal) => ({ ordinal, kind, key, value }))),
            JSON.stringify(this.changes.slice(0, maxAnnounced).map(({ kind, key }) => ({ kind, key }))),
            traceparent ?? null,
          ]);
    return Number(rows[0]!.value);
  }
}

const finishStatement = `
  WITH next AS (
    UPDATE catalogue_revision SET value = value + 1 RETURNING value
  ), logged AS (
    INSERT INTO change_log (revision, ordinal, kind, key, value, traceparent)
    SELECT next.value, change.ordinal, change.kind, change.key, change.value, $3
    FROM next, jsonb_to_recordset($1::jsonb) AS change (ordinal integer, kind text, key text, value jsonb)
  ), announced AS (
    INSERT INTO outbox (revision, objects, traceparent) SELECT next.value, $2::jsonb, $3 FROM next
  )
  SELECT value FROM next`;
