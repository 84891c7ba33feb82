import { createLogger } from "@fairlead/logging";
import { openStore } from "@fairlead/store";
import { hosts, instanceOf, type MeshSize, serviceOf } from "./catalogue.ts";

const leaseTtlMs = 24 * 60 * 60 * 1000;
const perTransaction = 250;

/** Writes the catalogue with the store's own library, many objects a transaction: by way of HTTP it would take minutes. */
export async function seed(databaseUrl: string, size: MeshSize): Promise<void> {
  const logger = createLogger({ service: "bench", level: "warn" });
  const store = await openStore({ url: databaseUrl, logger, statementTimeoutMs: 60_000 });
  try {
    await store.migrate();
    const services = Array.from({ length: size.services }, (_, index) => index);
    const replicas = Array.from({ length: size.endpoints }, (_, replica) => replica);
    await inTransactions(store, [...hosts(size)], (tx, host) => tx.putNode(host, leaseTtlMs));
    await inTransactions(store, services, (tx, index) => tx.publishService(serviceOf(index)));
    const instances = services.flatMap((index) => replicas.map((replica) => instanceOf(index, replica)));
    await inTransactions(store, instances, (tx, instance) => tx.putInstance(instance));
  } finally {
    await store.close();
  }
}

type Store = Awaited<ReturnType<typeof openStore>>;
type Transaction = Parameters<Parameters<Store["write"]>[1]>[0];

async function inTransactions<T>(
  store: Store,
  values: readonly T[],
  put: (transaction: Transaction, value: T) => Promise<unknown>,
): Promise<void> {
  for (let from = 0; from < values.length; from += perTransaction) {
    await store.write(undefined, async (transaction) => {
      for (const value of values.slice(from, from + perTransaction)) await put(transaction, value);
    });
  }
}
