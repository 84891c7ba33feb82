/**
 * PostgreSQL below a process of its own: it survives the control plane, and ends with `fairlead up` even when that is killed.
 * `postgres-process.ts <data folder> [port]`; says `{url, port}` to `up` once it takes connections.
 */
import { FairleadError } from "@fairlead/errors";
import { type PostgresServer, startPostgresServer } from "@fairlead/postgres-server";

const [dataFolder, port = "0"] = process.argv.slice(2);
if (dataFolder === undefined) throw new Error("usage: postgres-process.ts <data folder> [port]");

let server: PostgresServer | undefined;
let stopping = false;
const stop = () => {
  stopping = true;
  if (server === undefined) return; // stops once it has started
  server.stop().then(
    () => process.exit(0),
    () => process.exit(1),
  );
};
process.on("SIGTERM", stop);
process.on("SIGINT", stop);

try {
  server = await startPostgresServer({
    dataFolder,
    port: Number(port),
    log: (line) => process.stdout.write(`${line}\n`),
  });
} catch (caught) {
  const error = FairleadError.from(caught);
  process.stderr.write(`${error.code}: ${error.message}\n`);
  process.exit(1);
}
if (stopping) stop();
else process.send?.({ url: server.url, port: server.port });

const { pid } = server;
setInterval(() => {
  try {
    process.kill(pid, 0);
  } catch {
    if (stopping) return;
    process.stderr.write(`PostgreSQL (pid ${pid}) has ended\n`);
    process.exit(1);
  }
}, 500);
