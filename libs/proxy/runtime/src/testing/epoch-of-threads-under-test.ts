// A proxy in two threads as a supervisor runs it: one listener, to the backend that the environment names.
import { supervisedBy } from "@fairlead/hot-restart";
import { ProxyInThreads } from "./proxy-in-threads.ts";
import { listener, routes, staticCluster, toCluster } from "./resources.ts";

const link = await supervisedBy();
if (link === undefined) throw new Error("not supervised");
const port = Number(process.env["TEST_PORT"]);
const backend = Number(process.env["TEST_BACKEND"]);

const proxy = await ProxyInThreads.start(
  {
    clusters: [staticCluster("a", [backend])],
    listeners: [listener("in", port)],
    routes: [routes("in", toCluster("*", "a"))],
  },
  { sockets: link },
);
const end = async (): Promise<void> => {
  process.stderr.write(proxy.logged.map((line) => `${line}\n`).join(""));
  await proxy.dataPlane.close();
  process.exit(0);
};
process.on("SIGTERM", () => void end());
link.onRetire(() => {
  link.handedOver();
  void proxy.dataPlane.drain({ strategy: "gradual" }).then(end);
});
link.up();
link.ready();
