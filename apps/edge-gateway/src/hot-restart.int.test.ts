import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { typeUrls } from "@fairlead/envoy-api";
import { Backend } from "@fairlead/proxy-runtime/testing/backend";
import { listener, routes, staticCluster, toCluster } from "@fairlead/proxy-runtime/testing/resources";
import { freePort, until } from "@fairlead/testing-basics";
import { SteadyLoad } from "@fairlead/testing-load";
import { ScriptedDeltaAds } from "./testing/scripted-delta-ads.ts";

/** SIGHUP replaces the gateway under load, and no request fails; SIGTERM ends it. */
async function replacedUnderLoad(main: string): Promise<void> {
  await using backend = await Backend.named("b");
  const [port, adminPort] = [await freePort(), await freePort()];
  const ads = new ScriptedDeltaAds(
    new Map([
      [typeUrls.cluster, [staticCluster("a", [backend.port])]],
      [typeUrls.listener, [listener("gateway", port)]],
      [typeUrls.route, [routes("gateway", toCluster("*", "a"))]],
    ]),
  );
  const gateway = spawn(process.execPath, [main], {
    stdio: ["ignore", "pipe", "inherit"],
    env: {
      ...process.env,
      FAIRLEAD_HOT_RESTART: "true",
      FAIRLEAD_ADMIN_PORT: String(adminPort),
      FAIRLEAD_ADS_ADDRESS: await ads.start(),
      // Nobody is there: what is registered is not what is looked at.
      FAIRLEAD_REGISTRY_URL: "http://127.0.0.1:9",
      FAIRLEAD_ACCESS_LOG: "off",
      FAIRLEAD_DRAIN_TIMEOUT: "2s",
    },
  });
  const exited = new Promise((resolve) => gateway.once("exit", resolve));
  let log = "";
  gateway.stdout.on("data", (chunk) => (log += String(chunk)));
  try {
    await until("the gateway serves", () => log.includes('"serving"'), 30_000);
    await using load = new SteadyLoad({ port, host: "x" });
    await load.progress(100);
    gateway.kill("SIGHUP");
    await until("the restart", () => log.includes("the process that was replaced has ended"), 30_000);
    await load.progress(100);
    await load.stop();
    assert.deepEqual(load.failures, []);
    const info = await (await fetch(`http://127.0.0.1:${adminPort}/server_info`)).text();
    assert.match(info, /"restart_epoch": 1/);
  } finally {
    gateway.kill("SIGTERM");
    assert.equal(await exited, 0);
    ads.stop();
  }
}

test("SIGHUP replaces the gateway under load, and no request fails; SIGTERM ends it", async () => {
  await replacedUnderLoad(join(import.meta.dirname, "main.ts"));
});

test("so it does in the bundle that the image has", async () => {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-bundle-"));
  try {
    const build = join(import.meta.dirname, "../../../tools/build/bundle.ts");
    const { status, stderr } = spawnSync(process.execPath, [build, "apps/edge-gateway", folder], { encoding: "utf8" });
    assert.equal(status, 0, stderr);
    await replacedUnderLoad(join(folder, "main.js"));
  } finally {
    rmSync(folder, { recursive: true });
  }
});
