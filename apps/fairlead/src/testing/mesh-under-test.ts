import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { adsGatewayConfig, createAdsGateway } from "@fairlead/ads-gateway";
import { InProcessBus } from "@fairlead/bus";
import { configCompilerConfig, createConfigCompiler } from "@fairlead/config-compiler";
import { createLogger } from "@fairlead/logging";
import { createRegistrySync, registrySyncConfig } from "@fairlead/registry-sync";
import { openStore } from "@fairlead/store";
import { startTelemetry } from "@fairlead/telemetry";
import { startTestPostgres } from "@fairlead/testing-servers";
import { runCommand } from "./run-command.ts";

/** A control plane within the process, on a PostgreSQL of its own; files of policies in a folder of its own. */
export class MeshUnderTest {
  readonly registryUrl: string;
  /** Where proxies connect. */
  readonly grpcPort: number;
  readonly #folder: string;
  readonly #stops: readonly (() => Promise<unknown>)[];

  private constructor(
    registryUrl: string,
    grpcPort: number,
    folder: string,
    stops: readonly (() => Promise<unknown>)[],
  ) {
    this.registryUrl = registryUrl;
    this.grpcPort = grpcPort;
    this.#folder = folder;
    this.#stops = stops;
  }

  static async start(): Promise<MeshUnderTest> {
    const postgres = await startTestPostgres();
    const telemetry = startTelemetry({ service: "test" });
    const logger = createLogger({ service: "test", level: "silent" });
    const bus = new InProcessBus();
    const store = await openStore({ url: postgres.url, logger });
    const shared = { bus, store, logger, telemetry };
    const registry = createRegistrySync(registrySyncConfig.load({ FAIRLEAD_HTTP_PORT: "0" }), shared);
    const compiler = createConfigCompiler(configCompilerConfig.load({ FAIRLEAD_HTTP_PORT: "0" }), shared);
    const ports = { FAIRLEAD_GRPC_PORT: "0", FAIRLEAD_HTTP_PORT: "0" };
    const gateway = createAdsGateway(adsGatewayConfig.load(ports), shared);
    await store.migrate();
    const stops = [() => postgres.stop(), () => store.close()];
    for (const service of [registry, compiler, gateway]) {
      await service.start();
      stops.push(() => service.stop());
    }
    const folder = await mkdtemp(join(tmpdir(), "fairlead-mesh-test-"));
    stops.push(() => rm(folder, { recursive: true, force: true }));
    return new MeshUnderTest(registry.url, gateway.grpcPort, folder, stops);
  }

  async stop(): Promise<void> {
    for (const stop of this.#stops.toReversed()) await stop();
  }

  async post(path: string, body: object): Promise<void> {
    const response = await fetch(this.registryUrl + path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    assert.equal(response.status, 200, await response.text());
  }

  /** Until what is stored is what gateways serve. */
  async untilCompiled(): Promise<void> {
    for (const deadline = Date.now() + 15_000; ; await pause(10)) {
      const answer = (await (await fetch(`${this.registryUrl}/v1/compiler`)).json()) as {
        revision: number;
        compiled?: { revision: number };
      };
      if (answer.compiled?.revision === answer.revision) return;
      assert.ok(Date.now() < deadline, JSON.stringify(answer));
    }
  }

  fileNamed(name: string): string {
    return join(this.#folder, name);
  }

  /** `fairlead apply -f <name> --wait` */
  async apply(name: string, text: string, timeout = "20s"): ReturnType<typeof runCommand> {
    const file = this.fileNamed(name);
    await writeFile(file, text);
    return await runCommand(["apply", "-f", file, "--wait", "--timeout", timeout, "--registry", this.registryUrl]);
  }
}
