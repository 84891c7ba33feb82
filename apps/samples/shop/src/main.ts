/**
 * One service of the sample shop: `node src/main.ts <storefront|catalog|reviews|orders>`, settings from SHOP_* (settings.ts).
 *
 * The order of its life is what an application on the mesh does: listen, publish, serve; on SIGTERM withdraw with
 * `wait=converged`, finish what is under way, exit.
 */
import { MeshCaller } from "./mesh-caller.ts";
import { Registration } from "./registration.ts";
import { services } from "./services/index.ts";
import { readSettings } from "./settings.ts";
import { ShopServer } from "./shop-server.ts";

const withdrawTimeoutMs = 10_000;

function log(message: string, facts: object = {}): void {
  process.stdout.write(`${JSON.stringify({ time: new Date().toISOString(), msg: message, ...facts })}\n`);
}

const name = process.argv[2] ?? "";
const service = services.get(name);
if (service === undefined) {
  process.stderr.write(`usage: main.ts <${[...services.keys()].join("|")}>\n`);
  process.exit(64);
}

const settings = readSettings(name, process.env);
const caller = new MeshCaller(settings.outbound);
const server = new ShopServer(service, { instance: settings.instance, version: settings.version }, caller);
const registration = new Registration({ sidecarApi: settings.sidecarApi, log });
const port = await server.listen(settings.bind, settings.port);
log("listening", { service: service.interface, port, version: settings.version });

const stopping = new AbortController();
async function stop(): Promise<void> {
  if (stopping.signal.aborted) return;
  stopping.abort();
  await registration
    .withdraw(service!.interface, port, withdrawTimeoutMs)
    .catch((error: Error) => log("could not withdraw; stopping all the same", { reason: error.message }));
  await server.close();
  caller.close();
  log("stopped");
  process.exit(0);
}
process.on("SIGTERM", () => void stop());
process.on("SIGINT", () => void stop());

try {
  for (const called of service.calls) await registration.subscribe(called, stopping.signal);
  await registration.publish(service.interface, port, settings.version, stopping.signal);
  server.published = true;
  log("published");
} catch (error) {
  if (!stopping.signal.aborted) {
    log("could not publish", { reason: (error as Error).message });
    process.exit(1);
  }
}
