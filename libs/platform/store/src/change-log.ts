import type { Change } from "@fairlead/model";
import type { ChangePage, ChangesAsked } from "./catalogue-reader.ts";
import type { Database } from "./database.ts";
import type { ChangeLogRow } from "./log-entities.ts";

/** A line of the statement below: a change, or nulls where there is none. */
type PageRow = { current: string; oldest: string | null } & (ChangeLogRow | Record<keyof ChangeLogRow, null>);

/** Not one of the nodes that the reader has no use for. Keys of instances begin with that of their node. */
const isAsked = "($3::text IS NULL OR NOT (kind IN ('node', 'instance') AND starts_with(key, $3)))";

/** One statement, so one snapshot: what it says about the newest revision fits the changes that it gives. */
const pageStatement = `
  SELECT counter.value AS current, (SELECT min(revision) FROM change_log) AS oldest, page.*
  FROM catalogue_revision counter
  LEFT JOIN LATERAL (
    SELECT revision, ordinal, kind, key, value, traceparent FROM change_log
    WHERE revision > $1 AND ${isAsked} AND revision <= coalesce(
      (SELECT revision FROM change_log WHERE revision > $1 AND ${isAsked} ORDER BY revision, ordinal OFFSET $2 - 1 LIMIT 1),
      9223372036854775807)
  ) page ON true
  ORDER BY page.revision, page.ordinal`;

/** The change log's own table is trusted: only this library writes it. */
function changeOf(row: ChangeLogRow): Change {
  const { kind, key, value, traceparent } = row;
  return {
    revision: Number(row.revision),
    kind,
    key,
    value: value ?? undefined,
    ...(traceparent === null ? {} : { traceparent }),
  } as Change;
}

export async function readChanges(
  database: Database,
  since: number,
  { limit, exceptNodes }: ChangesAsked & { readonly limit: number },
): Promise<ChangePage> {
  const rows: PageRow[] = await database.transaction("READ COMMITTED", (manager) =>
    manager.query(pageStatement, [since, limit, exceptNodes ?? null]),
  );
  const current = Number(rows[0]!.current);
  const oldest = rows[0]!.oldest === null ? current + 1 : Number(rows[0]!.oldest);
  // A newer revision than ours is that of another database, such as one before a restore.
  if (since > current || (since < current && oldest > since + 1)) return { gap: true };
  const changes = rows.filter((row) => row.revision !== null).map(changeOf);
  return { gap: false, changes, revision: changes.at(-1)?.revision ?? current };
}

const trimRows = 10_000;

/** Removes up to 10,000 of the oldest rows that nobody needs. */
export async function trimChanges(database: Database, keepRevisions: number): Promise<number> {
  return await database.transaction("READ COMMITTED", async (manager) => {
    const [, removed]: [unknown, number] = await manager.query(
      `DELETE FROM change_log WHERE (revision, ordinal) IN (
         SELECT revision, ordinal FROM change_log
         WHERE revision <= (SELECT value FROM catalogue_revision) - $1 ORDER BY revision, ordinal LIMIT ${trimRows})`,
      [keepRevisions],
    );
    return removed;
  });
}
