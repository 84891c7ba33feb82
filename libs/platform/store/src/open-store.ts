import type { Catalogue } from "@fairlead/model";
import type { Logger } from "@fairlead/logging";
import { inSpan } from "@fairlead/telemetry";
import { FairleadError } from "@fairlead/errors";
import { lockHeldForMs, tryAdvisoryLock } from "./advisory-lock.ts";
import type { CatalogueReader } from "./catalogue-reader.ts";
import { type CatalogueQueries, catalogueQueries } from "./catalogue-queries.ts";
import { catalogueTransaction } from "./catalogue-transaction.ts";
import type { CatalogueWriter } from "./catalogue-writer.ts";
import { readChanges, trimChanges } from "./change-log.ts";
import { ChangeRecorder } from "./change-recorder.ts";
import { Database } from "./database.ts";
import { migrate } from "./migrate.ts";
import { type Outbox, StoreOutbox } from "./outbox.ts";
import { readSnapshot } from "./snapshot.ts";
import "./errors.ts";

export interface StoreOptions {
  /** postgres://user:password@host:port/database. Never logged. */
  readonly url: string;
  readonly logger: Logger;
  /** After this PostgreSQL ends a statement. @default 3000 */
  readonly statementTimeoutMs?: number;
  /** Connections of this process, apart from those that hold locks. @default 10 */
  readonly poolSize?: number;
}

/** The catalogue in PostgreSQL. */
export interface Store extends CatalogueReader, CatalogueWriter, CatalogueQueries, Outbox {
  /** Of the database, with its password: to open it in another thread. Never logged. */
  readonly url: string;
  /** Brings the schema up to date; replicas may do it at the same time. @throws FairleadError FL_STORE_UNAVAILABLE */
  migrate(): Promise<void>;
  /** For how long the session that holds a lock has been there, in ms; undefined when nobody holds it. @throws FairleadError FL_STORE_UNAVAILABLE */
  lockHeldForMs(name: string): Promise<number | undefined>;
  /** Whether PostgreSQL answers; false after a few seconds at most. */
  reachable(): Promise<boolean>;
  close(): Promise<void>;
}

const defaultKeepRevisions = 10_000;
const defaultPageRows = 1000;

function checkUrl(url: string): void {
  if (URL.canParse(url) && /^postgres(ql)?:$/.test(new URL(url).protocol)) return;
  // The URL itself stays out of the message: it carries a password.
  throw new FairleadError(
    "FL_STORE_URL_INVALID",
    "the database URL is not of the form postgres://user:password@host:5432/database",
  );
}

/**
 * Opens the catalogue. Resolves also while PostgreSQL is down: each operation tries to connect, and rejects with
 * FL_STORE_UNAVAILABLE within a few seconds.
 *
 * @throws FairleadError FL_STORE_URL_INVALID
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { url, logger } = options;
  checkUrl(url);
  const database = new Database({
    url,
    logger,
    statementTimeoutMs: options.statementTimeoutMs ?? 3000,
    poolSize: options.poolSize ?? 10,
  });
  const outbox = new StoreOutbox(database);
  const revision = async (): Promise<number> => {
    const rows = await database.transaction("READ COMMITTED", async (manager) => {
      const found: { value: string }[] = await manager.query("SELECT value FROM catalogue_revision");
      return found;
    });
    return Number(rows[0]!.value);
  };
  return {
    url,
    ...catalogueQueries(database),
    revision,
    snapshot: (): Promise<Catalogue> => readSnapshot(database),
    changesSince: (since, asked) => readChanges(database, since, { limit: defaultPageRows, ...asked }),
    tryLock: (name) => tryAdvisoryLock(url, name),
    lockHeldForMs: (name) => lockHeldForMs(database, name),
    async write(traceparent, work) {
      return await inSpan(
        "store.write",
        {},
        async (span) => {
          const written = await database.transaction("READ COMMITTED", async (manager) => {
            const recorder = new ChangeRecorder();
            const result = await work(catalogueTransaction(manager, recorder));
            const changes = recorder.changes.length;
            return { result, revision: await recorder.finish(manager, traceparent), changed: changes > 0, changes };
          });
          span.setAttributes({ "fairlead.revision": written.revision, "fairlead.changes": written.changes });
          if (written.changed) outbox.signal();
          return { result: written.result, revision: written.revision, changed: written.changed };
        },
        traceparent,
      );
    },
    trimChangeLog: (keepRevisions = defaultKeepRevisions) => trimChanges(database, keepRevisions),
    takePending: (limit, publish) => outbox.takePending(limit, publish),
    countPending: () => outbox.countPending(),
    onPending: (listener) => outbox.onPending(listener),
    migrate: () => migrate(url, logger),
    reachable: () => database.answers(),
    close: () => database.close(),
  };
}
