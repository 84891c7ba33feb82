/**
 * One service of the sample shop: `node src/main.ts <storefront|catalog|reviews|orders|prices|stock>`, settings from SHOP_* (settings.ts).
 *
 * The order of its life is what an application on the mesh does: listen, publish, serve; on SIGTERM withdraw with
 * `wait=converged`, finish what is under way, exit.
 */
import { startHttpInstance } from "./instance.ts";
import { Registration } from "./registration.ts";
import { startRpcInstance } from "./rpc/rpc-instance.ts";
import { rpcServices, services } from "./services/index.ts";
import { readSettings } from "./settings.ts";

const withdrawTimeoutMs = 10_000;

function log(message: string, facts: object = {}): void {
  process.stdout.write(`${JSON.stringify({ time: new Date().toISOString(), msg: message, ...facts })}\n`);
}

const name = process.argv[2] ?? "";
const service = services.get(name);
const rpcService = rpcServices.get(name);
if (service === undefined && rpcService === undefined) {
  const help = name === "--help";
  const usage = `usage: main.ts <${[...services.keys(), ...rpcServices.keys()].join("|")}>`;
  (help ? process.stdout : process.stderr).write(help ? `${usage}\n` : `no service "${name}"; ${usage} or --help\n`);
  process.exit(help ? 0 : 64);
}

const settings = readSettings(name, process.env);
const registration = new Registration({ sidecarApi: settings.sidecarApi, log });
const instance =
  service === undefined
    ? await startRpcInstance(rpcService!, settings, registration)
    : await startHttpInstance(service, settings, registration);
log("listening", instance.listening);

const stopping = new AbortController();
async function stop(): Promise<void> {
  if (stopping.signal.aborted) return;
  stopping.abort();
  await instance
    .withdraw(withdrawTimeoutMs)
    .catch((error: Error) => log("could not withdraw; stopping all the same", { reason: error.message }));
  await instance.close();
  log("stopped");
  process.exit(0);
}
process.on("SIGTERM", () => void stop());
process.on("SIGINT", () => void stop());

try {
  await instance.publish(stopping.signal);
  log("published");
} catch (error) {
  if (!stopping.signal.aborted) {
    log("could not publish", { reason: (error as Error).message });
    process.exit(1);
  }
}
