import type { CommandOutput } from "../commands/output.ts";
import type { UpOptions } from "./up-options.ts";
import { Progress } from "../terminal/progress.ts";
import { styleFor } from "../terminal/style.ts";
import { CrashBudget } from "./crash-budget.ts";
import type { LocalMesh } from "./local-mesh.ts";
import type { ManagedProcess } from "./managed-process.ts";
import type { MeshApp } from "./mesh-app.ts";
import { SampleTraffic } from "./sample-traffic.ts";
import { withMesh } from "./session.ts";
import { startShop, wholeShop } from "./shop.ts";

function whatToTry(mesh: LocalMesh, visitor: MeshApp): string[] {
  const { outbound, outboundRpc, api, admin } = visitor.ports;
  const registry = mesh.registry.url === "http://127.0.0.1:13300" ? "" : ` --registry ${mesh.registry.url}`;
  return [
    "",
    "The mesh is up. Try, in another terminal:",
    "",
    `  curl -H 'Host: shop.Storefront' 127.0.0.1:${outbound}/          through two sidecars`,
    `  http_proxy=127.0.0.1:${outbound} curl http://shop.Reviews/reviews    the same, as a proxy`,
    `  npm run fairlead -- status${registry}`,
    `  npm run fairlead -- apply -f apps/samples/shop/policies/reviews-90-10.yaml --wait${registry}`,
    `  kill -9 ${mesh.controlPlane.pid ?? "<control plane>"}    the control plane: calls go on, and it is started again`,
    "",
    `  registry-sync ${mesh.registry.url}    ads-gateway ${mesh.adsAddress}, ${mesh.debugUrl}/debug/syncz`,
    `  your own sidecar: publish at 127.0.0.1:${api}, call through 127.0.0.1:${outbound} (Dubbo and bolt ${outboundRpc}), admin http://127.0.0.1:${admin}/`,
    `  logs ${mesh.logFolder}`,
    "",
    "Ctrl-C stops all of it.",
    "",
  ];
}

/**
 * `fairlead up`: runs until a signal comes.
 *
 * @returns the exit code
 * @throws FairleadError FL_UP_PROCESS_ENDED when processes crashed too often; before that they are started again
 */
export async function runMesh(options: UpOptions, output: CommandOutput): Promise<number> {
  const style = styleFor(output.out);
  const progress = new Progress(output.out, style);
  const budget = new CrashBudget({ crashes: 3, withinMs: 60_000 });
  progress.line("Fairlead");

  const restart = async (mesh: LocalMesh, crashed: ManagedProcess, report: Promise<Error>) => {
    progress.line(style("yellow", (await report).message));
    if (crashed === mesh.postgres) {
      // What uses it connects again by itself.
      await progress.step("PostgreSQL, again", async () => await mesh.startPostgres());
    } else if (crashed === mesh.zooKeeper) {
      await progress.step("ZooKeeper, again", async () => await mesh.startZooKeeper());
    } else if (crashed === mesh.controlPlane) {
      await progress.step("control plane, again", async () => await mesh.startControlPlane());
    } else {
      // A sidecar takes over what it had registered; a sample publishes itself again.
      await progress.step(`${crashed.name}, again`, async () => crashed.start());
    }
  };
  await withMesh(
    {
      up: options,
      temporaryFolder: false,
      progress,
      onCrash(mesh, crashed, end) {
        if (!mesh.complete || !budget.spend()) return false;
        // Ends the session by a further crash, or its own report, when it does not come up.
        restart(mesh, crashed, crashed.crashError(end)).catch((error: Error) =>
          progress.line(style("red", error.message)),
        );
        return true;
      },
    },
    async ({ mesh, ending }) => {
      await mesh.start();
      const visitor = await startShop(mesh, mesh.firstSidecarPorts, wholeShop);
      mesh.complete = true;
      for (const line of whatToTry(mesh, visitor)) progress.line(line);
      if (!options.traffic) return await new Promise<never>(() => undefined);
      return await new SampleTraffic({
        port: visitor.ports.outbound,
        callsPerSecond: options.trafficRate,
        progress,
        ending,
      }).run();
    },
  );
  return 0;
}
