import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type AdsGateway, adsGatewayConfig, createAdsGateway } from "@fairlead/ads-gateway";
import { InProcessBus } from "@fairlead/bus";
import { configCompilerConfig, createConfigCompiler } from "@fairlead/config-compiler";
import { typeUrls } from "@fairlead/envoy-api";
import { createLogger } from "@fairlead/logging";
import { refusalSchema } from "@fairlead/registration";
import { createRegistrySync, type RegistrySync, registrySyncConfig } from "@fairlead/registry-sync";
import { openStore } from "@fairlead/store";
import { startTelemetry } from "@fairlead/telemetry";
import { startTestPostgres } from "@fairlead/testing-servers";
import { XdsTestClient } from "@fairlead/testing-xds";
import { z } from "zod";
import { runCommand } from "./testing/run-command.ts";

const stops: (() => Promise<unknown>)[] = [];
let registry: RegistrySync;
let gateway: AdsGateway;
let folder = "";

before(async () => {
  const postgres = await startTestPostgres();
  stops.push(() => postgres.stop());
  const telemetry = startTelemetry({ service: "test" });
  const logger = createLogger({ service: "test", level: "silent" });
  const bus = new InProcessBus();
  const store = await openStore({ url: postgres.url, logger });
  stops.push(() => store.close());
  registry = createRegistrySync(registrySyncConfig.load({ FAIRLEAD_HTTP_PORT: "0" }), {
    bus,
    store,
    logger,
    telemetry,
  });
  const compiler = createConfigCompiler(configCompilerConfig.load({ FAIRLEAD_HTTP_PORT: "0" }), {
    bus,
    store,
    logger,
    telemetry,
  });
  gateway = createAdsGateway(adsGatewayConfig.load({ FAIRLEAD_GRPC_PORT: "0", FAIRLEAD_HTTP_PORT: "0" }), {
    bus,
    logger,
    telemetry,
  });
  await store.migrate();
  for (const service of [registry, compiler, gateway]) {
    await service.start();
    stops.push(() => service.stop());
  }
  folder = await mkdtemp(join(tmpdir(), "fairlead-nack-test-"));
  stops.push(() => rm(folder, { recursive: true, force: true }));
});
after(async () => {
  for (const stop of stops.toReversed()) await stop();
});

async function post(path: string, body: object): Promise<Record<string, unknown>> {
  const response = await fetch(registry.url + path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const answer = (await response.json()) as Record<string, unknown>;
  assert.equal(response.status, 200, JSON.stringify(answer));
  return answer;
}

const refusal = "virtual_hosts[0].routes[0]: this proxy knows no retries on\n503";
/** What the scripted proxy refuses, as bytes of a resource. */
const poison = Buffer.from("x-poison");

/** A proxy that takes everything, or refuses each response that has the poison in it. */
class ScriptedProxy {
  readonly #client: XdsTestClient;
  #ended = false;

  constructor(nodeId: string, refuses: boolean) {
    this.#client = new XdsTestClient({ address: `127.0.0.1:${gateway.grpcPort}`, nodeId, timeoutMs: 600_000 });
    for (const typeUrl of [typeUrls.cluster, typeUrls.route]) void this.#follow(typeUrl, refuses);
  }

  async #follow(typeUrl: string, refuses: boolean): Promise<void> {
    this.#client.subscribe(typeUrl, typeUrl === typeUrls.route ? ["outbound"] : []);
    try {
      while (!this.#ended) {
        const response = await this.#client.next(typeUrl);
        const poisoned = response.resources.some(({ value }) => Buffer.from(value).includes(poison));
        if (refuses && poisoned) this.#client.nack(response, refusal);
        else this.#client.ack(response);
      }
    } catch (error) {
      if (!this.#ended) throw error;
    }
  }

  close(): void {
    this.#ended = true;
    this.#client.close();
  }
}

const routes = (header: string) => `# what the shop's reviews are called by
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: reviews }
spec:
  hosts: [shop.Reviews]
  http:
    - match: [{ headers: { ${header}: { exact: "1" } } }]
      route: [{ destination: { host: shop.Reviews } }]
    - route: [{ destination: { host: shop.Reviews } }]
`;
async function apply(header: string, timeout: string): ReturnType<typeof runCommand> {
  const file = join(folder, "reviews.yaml");
  await writeFile(file, routes(header));
  return await runCommand(["apply", "-f", file, "--wait", "--timeout", timeout, "--registry", registry.url]);
}
const publish = (id: string, port: number) => ({
  service: { interface: "shop.Reviews", port },
  node: { id, app: "reviews", address: "127.0.0.1" },
});
const nacks = async () => {
  const answer = await fetch(`${registry.url}/v1/nacks`);
  return z.object({ nacks: z.array(refusalSchema), standing: z.number() }).parse(await answer.json());
};

test("a proxy refuses a policy's routes: who, what, why and which line is told; all else moves on", async () => {
  await post("/pub", publish("reviews-1", 8080));
  for (const id of ["web-1", "cart-1"]) {
    await post("/sub", {
      service: { interface: "shop.Reviews" },
      node: { id, app: "shop", address: "127.0.0.1", outboundPort: 15001 },
    });
  }
  const proxies = [new ScriptedProxy("web-1", true), new ScriptedProxy("cart-1", false)];
  try {
    const good = await apply("x-good", "20s");
    assert.equal(good.code, 0, good.err);

    const bad = await apply("x-poison", "2s");
    assert.equal(bad.code, 1);
    const place = `${join(folder, "reviews.yaml")}:2 VirtualService/default/reviews`;
    assert.match(bad.err, /^FL_NOT_CONVERGED: /);
    assert.ok(
      bad.err.includes(
        `web-1 rds: NACKed: virtual_hosts[0].routes[0]: this proxy knows no retries on 503 (outbound; from ${place})`,
      ),
      bad.err,
    );
    assert.doesNotMatch(bad.err, /cart-1/, "the other proxy has taken it");

    const { nacks: told, standing } = await nacks();
    assert.deepEqual(
      [standing, told.map(({ node, type, resources }) => [node, type, resources])],
      [1, [["web-1", "rds", ["outbound"]]]],
    );
    assert.deepEqual(told[0]!.objects[0], {
      kind: "policy",
      key: "VirtualService/default/reviews",
      file: join(folder, "reviews.yaml"),
      line: 2,
    });
    const status = await runCommand(["status", "--registry", registry.url]);
    assert.equal(status.code, 1);
    assert.match(status.out, /^ {2}web-1 RDS for .*: NACKed: .* \(outbound; from .*reviews\.yaml:2 VirtualService/m);

    // What is not of the refused type reaches everybody, also the one that refuses.
    await post("/pub?wait=converged&timeout=20s", {
      ...publish("stock-1", 8081),
      service: { interface: "shop.Stock", port: 1 },
    });

    const mended = await apply("x-mended", "20s");
    assert.equal(mended.code, 0, mended.err);
    const ended = await nacks();
    assert.deepEqual([ended.standing, ended.nacks.length, (ended.nacks[0]?.endedMs ?? 0) > 0], [0, 1, true]);
  } finally {
    for (const proxy of proxies) proxy.close();
  }
});
