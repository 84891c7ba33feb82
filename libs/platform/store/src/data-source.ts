import "reflect-metadata";
import { DataSource } from "typeorm";
import { InstanceEntity, NodeEntity, PolicyEntity, ServiceEntity, SubscriptionEntity } from "./catalogue-entities.ts";
import { ChangeLogEntity, OutboxEntity, RevisionEntity } from "./log-entities.ts";
import { Catalogue1763700000001 } from "./migrations/0001-catalogue.ts";
import { OutboundRpcPort1763700000002 } from "./migrations/0002-outbound-rpc-port.ts";

/** How long a connection may take to be made, or a free one of the pool to be waited for. */
export const connectTimeoutMs = 2000;

/** What pg is given to notice, on this side and on PostgreSQL's, that the other end is gone. */
export const keepAlive = {
  keepAlive: true,
  keepAliveInitialDelayMillis: 5000,
  options: "-c tcp_keepalives_idle=5 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3",
};

export interface DataSourceOptions {
  readonly url: string;
  readonly poolSize: number;
  /** PostgreSQL ends a statement after this; one that is not answered a second later is given up. 0 = no limit. */
  readonly statementTimeoutMs: number;
  /** Gets what happens to idle connections. */
  readonly onPoolError: (error: Error) => void;
}

/** TypeORM's view of the database. Not connected yet. */
export function createDataSource(options: DataSourceOptions): DataSource {
  return new DataSource({
    type: "postgres",
    url: options.url,
    applicationName: "fairlead",
    entities: [
      NodeEntity,
      ServiceEntity,
      InstanceEntity,
      SubscriptionEntity,
      PolicyEntity,
      RevisionEntity,
      ChangeLogEntity,
      OutboxEntity,
    ],
    migrations: [Catalogue1763700000001, OutboundRpcPort1763700000002],
    migrationsTableName: "migration",
    synchronize: false,
    logging: false,
    installExtensions: false,
    poolSize: options.poolSize,
    connectTimeoutMS: connectTimeoutMs,
    poolErrorHandler: options.onPoolError,
    extra: {
      ...keepAlive,
      ...(options.statementTimeoutMs === 0
        ? {}
        : {
            statement_timeout: options.statementTimeoutMs,
            query_timeout: options.statementTimeoutMs + 1000,
            idle_in_transaction_session_timeout: 30_000,
          }),
    },
  });
}
