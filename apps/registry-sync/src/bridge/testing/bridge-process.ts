/** A bridge in a process of its own, to be killed: arguments are the database, ZooKeeper and the registry's name. */
import { createLogger } from "@fairlead/logging";
import { openStore } from "@fairlead/store";
import { RegistryBridge } from "../registry-bridge.ts";

const [databaseUrl = "", servers = "", name = ""] = process.argv.slice(2);
const logger = createLogger({ service: "test", level: "silent" });
new RegistryBridge({
  registry: { name, servers, root: "dubbo", servicesRoot: "services", digest: undefined, exports: true },
  origin: `mesh-${name}`,
  store: await openStore({ url: databaseUrl, logger }),
  removalDelayMs: 100,
  lossHoldMs: 60_000,
  sessionTimeoutMs: 2_000,
  logger,
}).start();
