import { EntitySchema } from "typeorm";

/** What goes out to consumers: the revision counter, the change log, and what is still to be announced. */

/** One row. Its lock is what puts commits into the order of their revisions. */
export const RevisionEntity = new EntitySchema<{ id: number; value: string }>({
  name: "catalogue_revision",
  columns: {
    id: { type: "integer", primary: true, primaryKeyConstraintName: "catalogue_revision_pkey" },
    value: { type: "bigint" },
  },
  checks: [{ name: "catalogue_revision_one_row", expression: "id = 1" }],
});

export interface ChangeLogRow {
  /** bigint, as pg gives it. */
  revision: string;
  /** Order within the revision. */
  ordinal: number;
  kind: string;
  key: string;
  /** null: removed. */
  value: object | null;
  traceparent: string | null;
}

export const ChangeLogEntity = new EntitySchema<ChangeLogRow>({
  name: "change_log",
  columns: {
    revision: { type: "bigint", primary: true, primaryKeyConstraintName: "change_log_pkey" },
    ordinal: { type: "integer", primary: true, primaryKeyConstraintName: "change_log_pkey" },
    kind: { type: "text" },
    key: { type: "text" },
    value: { type: "jsonb", nullable: true },
    traceparent: { type: "text", nullable: true },
  },
});

export interface OutboxRow {
  /** bigint, as pg gives it. */
  revision: string;
  objects: { kind: string; key: string }[];
  traceparent: string | null;
}

export const OutboxEntity = new EntitySchema<OutboxRow>({
  name: "outbox",
  columns: {
    revision: { type: "bigint", primary: true, primaryKeyConstraintName: "outbox_pkey" },
    objects: { type: "jsonb" },
    traceparent: { type: "text", nullable: true },
  },
});
