import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { typeUrls } from "@fairlead/envoy-api";
import { refusalSchema } from "@fairlead/registration";
import { XdsTestClient } from "@fairlead/testing-xds";
import { z } from "zod";
import { MeshUnderTest } from "./testing/mesh-under-test.ts";
import { runCommand } from "./testing/run-command.ts";

let mesh: MeshUnderTest;
before(async () => {
  mesh = await MeshUnderTest.start();
});
after(() => mesh?.stop());

const refusal = "virtual_hosts[0].routes[0]: this proxy knows no retries on\n503";
/** What the scripted proxy refuses, as bytes of a resource. */
const poison = Buffer.from("x-poison");

/** A proxy that takes everything, or refuses each response that has the poison in it. */
class ScriptedProxy {
  readonly #client: XdsTestClient;
  #ended = false;

  constructor(nodeId: string, refuses: boolean) {
    this.#client = new XdsTestClient({ address: `127.0.0.1:${mesh.grpcPort}`, nodeId, timeoutMs: 600_000 });
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
const apply = (header: string, timeout: string) => mesh.apply("reviews.yaml", routes(header), timeout);
const publish = (id: string, port: number) => ({
  service: { interface: "shop.Reviews", port },
  node: { id, app: "reviews", address: "127.0.0.1" },
});
const nacks = async () => {
  const answer = await fetch(`${mesh.registryUrl}/v1/nacks`);
  return z.object({ nacks: z.array(refusalSchema), standing: z.number() }).parse(await answer.json());
};

test("a proxy refuses a policy's routes: who, what, why and which line is told; all else moves on", async () => {
  await mesh.post("/pub", publish("reviews-1", 8080));
  for (const id of ["web-1", "cart-1"]) {
    await mesh.post("/sub", {
      service: { interface: "shop.Reviews" },
      node: { id, app: "shop", address: "127.0.0.1", outboundPort: 15001 },
    });
  }
  const proxies = [new ScriptedProxy("web-1", true), new ScriptedProxy("cart-1", false)];
  try {
    const good = await apply("x-good", "20s");
    assert.equal(good.code, 0, good.err);

    const startedAt = performance.now();
    const bad = await apply("x-poison", "2m");
    assert.equal(bad.code, 1);
    assert.ok(
      performance.now() - startedAt < 60_000,
      "it does not wait for the time-out when all that is missing is a refusal",
    );
    const place = `${mesh.fileNamed("reviews.yaml")}:2 VirtualService/default/reviews`;
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
      file: mesh.fileNamed("reviews.yaml"),
      line: 2,
    });
    const metrics = await (await fetch(`${mesh.registryUrl}/metrics`)).text();
    assert.match(metrics, /^fairlead_registry_nacks_standing(\{.*\})? 1$/m);
    assert.match(metrics, /^fairlead_registry_nacks_total\{.*type="rds".*\} 1$/m);
    const status = await runCommand(["status", "--registry", mesh.registryUrl]);
    assert.equal(status.code, 1);
    assert.match(status.out, /^ {2}web-1 RDS for .*: NACKed: .* \(outbound; from .*reviews\.yaml:2 VirtualService/m);

    // What is not of the refused type reaches everybody, also the one that refuses.
    await mesh.post("/pub?wait=converged&timeout=20s", {
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
