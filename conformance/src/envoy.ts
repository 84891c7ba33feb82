/**
 * npm run conformance:envoy [sotw|delta]: an unmodified Envoy against our gateway and compiler, over ADS; without an argument
 * one variant after the other, and before them what our validation and Envoy's say of a corpus of resources.
 *
 * Exit code: 0 all passed, 1 something failed, 2 it cannot run: not here (no python3, PyPI not reachable), or not with these arguments.
 */
import assert from "node:assert/strict";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { shortTypeName, typeUrls } from "@fairlead/envoy-api";
import { RouteConfigurationSchema } from "@fairlead/envoy-api/envoy/config/route/v3/route_pb.js";
import { endWrongUsage, readCommandLine } from "@fairlead/lifecycle";
import type { Instance, MeshNode, PolicyObject } from "@fairlead/model";
import type { CompiledResource } from "@fairlead/snapshot";
import { freePort, until } from "@fairlead/testing-basics";
import { Checks } from "./checks.ts";
import { CannotRun, envoyBinary, envoyVersion } from "./envoy-binary.ts";
import { EnvoyProcess } from "./envoy-process.ts";
import { checkRpc } from "./envoy-rpc.ts";
import { checkVerdicts } from "./envoy-verdicts.ts";
import { GatewayMesh } from "./gateway-mesh.ts";
import { call, startHttp1Backend, startHttp2Backend, type TestBackend } from "./test-backends.ts";

const nodeId = "edge-1";
const allVariants = ["sotw", "delta"] as const;

function hostNode(id: string): MeshNode {
  return { id, app: "backend", address: "127.0.0.1", labels: {} };
}

function instanceOf(
  node: string,
  service: Pick<Instance, "interface" | "protocol">,
  port: number,
  version = "",
): Instance {
  const labels: Record<string, string> = version === "" ? {} : { version };
  return { nodeId: node, ...service, port, version, group: "", methods: [], labels, weight: 100, state: "ready" };
}

function policyOf(kind: PolicyObject["kind"], name: string, spec: string): PolicyObject {
  const text = `apiVersion: networking.istio.io/v1\nkind: ${kind}\nmetadata: {name: ${name}}\nspec:\n${spec}`;
  return { kind, namespace: "default", name, file: `${name}.yaml`, line: 1, text };
}

const orders = { interface: "shop.Orders", protocol: "http" } as const;
const prices = { interface: "shop.Prices", protocol: "http2" } as const;
const web = { interface: "shop.Web", protocol: "http" } as const;

const subsets = policyOf(
  "DestinationRule",
  "orders-subsets",
  "  host: shop.Orders\n  subsets:\n    - {name: v1, labels: {version: v1}}\n    - {name: v2, labels: {version: v2}}\n",
);
const onlyV2 = policyOf(
  "VirtualService",
  "orders-split",
  `  hosts: [shop.Orders]
  http:
    - route:
        - {destination: {host: shop.Orders, subset: v1}, weight: 0}
        - {destination: {host: shop.Orders, subset: v2}, weight: 100}
`,
);

/** Two virtual hosts with one domain: Envoy refuses such a route table as a whole. */
function poisoned(resource: CompiledResource): CompiledResource {
  if (resource.typeUrl !== typeUrls.route || resource.key !== "rds/everything/outbound") return resource;
  const message = fromBinary(RouteConfigurationSchema, resource.body);
  message.virtualHosts.push(...message.virtualHosts.map((host) => ({ ...host, name: `${host.name}-again` })));
  return { ...resource, version: "poisoned", body: toBinary(RouteConfigurationSchema, message) };
}

/** Calls in a loop while changes are made, and remembers each answer that is not 200. */
class Traffic {
  readonly failures: string[] = [];
  /** Who answered. */
  readonly answers = new Set<string>();
  calls = 0;
  #stopped = false;
  #loop: Promise<void> | undefined;

  start(port: number, host: string): void {
    this.#loop = (async () => {
      while (!this.#stopped) {
        const answer = await call(port, host).catch((error: unknown) => ({ status: 0, body: String(error) }));
        this.calls++;
        if (answer.status === 200) this.answers.add(answer.body);
        else this.failures.push(`${answer.status} ${answer.body}`);
      }
    })();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#loop;
  }
}

async function answersOf(port: number, host: string, count: number): Promise<Set<string>> {
  const bodies = new Set<string>();
  for (let index = 0; index < count; index++) {
    const { status, body } = await call(port, host);
    assert.equal(status, 200, `${host} answered ${status} ${body}`);
    bodies.add(body);
  }
  return bodies;
}

/** Envoy counts a refused response once at every subscription of its type. */
async function refusedUpdates(envoy: EnvoyProcess): Promise<number> {
  let refused = 0;
  for (const value of (await envoy.stats("update_rejected$")).values()) refused += Number(value);
  return refused;
}

/** The checks (a) to (c) of "all ACKed": nothing is refused, timed out, warming or unknown, and the names agree. */
async function checkAccepted(
  checks: Checks,
  when: string,
  mesh: GatewayMesh,
  envoy: EnvoyProcess,
  refusedSoFar: number,
): Promise<void> {
  await checks.check(`${when}: Envoy has ACKed every type`, async () => await mesh.acked(nodeId));
  await checks.check(`${when}: Envoy's counters: nothing refused, timed out, warming or unknown`, async () => {
    const zero =
      "(init_fetch_timeout|warming_clusters|total_listeners_warming|listener_create_failure|dynamic_unknown_fields)$";
    await until("nothing warms", async () =>
      [...(await envoy.stats("warming")).values()].every((value) => value === 0),
    );
    for (const [name, value] of await envoy.stats(zero)) assert.equal(value, 0, `${name} is ${value}`);
    assert.equal(await refusedUpdates(envoy), refusedSoFar, "update_rejected");
  });
  await checks.check(`${when}: Envoy has our versions and names`, async () => {
    const proxy = (await mesh.syncz()).proxies.find((one) => one.node === nodeId);
    const versions = await envoy.stats("(cds|lds)\\.version_text$");
    for (const [typeUrl, stat] of [
      [typeUrls.cluster, "cluster_manager.cds.version_text"],
      [typeUrls.listener, "listener_manager.lds.version_text"],
    ] as const) {
      const ours = proxy?.types.find((type) => type.type === typeUrl)?.sentVersion;
      assert.equal(versions.get(stat), ours, `${shortTypeName(typeUrl)} version`);
    }
    const names = await mesh.namesOf(nodeId);
    const dump = await envoy.admin("/config_dump?include_eds");
    for (const [typeUrl, expected] of names) {
      for (const name of expected)
        assert.ok(dump.includes(JSON.stringify(name)), `Envoy does not have the ${shortTypeName(typeUrl)} ${name}`);
    }
    const clusters = await envoy.admin("/clusters");
    const held = new Set(clusters.split("\n").map((line) => line.split("::")[0]!));
    held.delete("");
    held.delete("ads-gateway");
    assert.deepEqual([...held].sort(), [...(names.get(typeUrls.cluster) ?? [])].sort(), "clusters");
  });
}

async function main(binary: string, variant: "sotw" | "delta"): Promise<number> {
  process.stdout.write(`${variant === "sotw" ? "state of the world" : "delta"}:\n`);
  const checks = new Checks();
  const mesh = new GatewayMesh();
  const backends: TestBackend[] = [];
  const backend = async (started: Promise<TestBackend>) => {
    backends.push(await started);
    return await started;
  };
  const [outboundPort, inboundPort] = [await freePort(), await freePort()];
  await mesh.start();
  const envoy = new EnvoyProcess({ binary, nodeId, app: "shop-web", adsPort: mesh.grpcPort, variant });
  const traffic = new Traffic();
  try {
    const [one, two, http2, app] = [
      await backend(startHttp1Backend("orders-1")),
      await backend(startHttp1Backend("orders-2")),
      await backend(startHttp2Backend("prices")),
      await backend(startHttp1Backend("web")),
    ];
    mesh.node({ id: nodeId, app: "shop-web", address: "127.0.0.1", inboundPort, outboundPort, labels: {} });
    mesh.node(hostNode("host-1"));
    mesh.node(hostNode("host-2"));
    for (const service of [orders, prices, web]) mesh.service(service);
    mesh.instance(instanceOf("host-1", orders, one.port, "v1"));
    mesh.instance(instanceOf("host-1", prices, http2.port));
    mesh.instance(instanceOf(nodeId, web, app.port));
    await mesh.commit();

    await checks.check("Envoy starts with what ADS gives it", async () => {
      await envoy.start();
      await until("Envoy is ready", async () => await envoy.ready());
    });
    await checkAccepted(checks, "at the start", mesh, envoy, 0);
    await checks.check("outbound: a call over HTTP/1.1", async () => {
      assert.deepEqual(await answersOf(outboundPort, "shop.Orders", 3), new Set(["orders-1"]));
    });
    await checks.check("outbound: a call to an HTTP/2 service", async () => {
      assert.deepEqual(await answersOf(outboundPort, "shop.Prices:8080", 3), new Set(["prices"]));
    });
    await checks.check("inbound: a call to the application, also from its own outbound listener", async () => {
      assert.deepEqual(await answersOf(inboundPort, "shop.Web", 3), new Set(["web"]));
      assert.deepEqual(await answersOf(outboundPort, "shop.Web", 3), new Set(["web"]));
    });
    await checks.check("outbound: an unknown host gets 404", async () => {
      assert.equal((await call(outboundPort, "no.Such")).status, 404);
    });

    traffic.start(outboundPort, "shop.Orders");
    mesh.instance(instanceOf("host-2", orders, two.port, "v2"));
    await mesh.commit();
    await checks.check("a second endpoint gets its share", async () => {
      // Calls of the check itself could take turns with the traffic, and so meet one endpoint alone.
      await until("both answer", () => traffic.answers.size === 2);
    });
    mesh.policy(subsets);
    mesh.policy(onlyV2);
    await mesh.commit();
    await checks.check("a weighted route takes effect", async () => {
      await until(
        "only v2 answers",
        async () => [...(await answersOf(outboundPort, "shop.Orders", 10))].join() === "orders-2",
      );
    });
    await checkAccepted(checks, "after the policies", mesh, envoy, 0);

    mesh.policy({
      ...subsets,
      text: subsets.text.replace("  subsets:", "  trafficPolicy: {loadBalancer: {simple: RANDOM}}\n  subsets:"),
    });
    await mesh.commit();
    await checkAccepted(checks, "after clusters were replaced and warmed (rule 64)", mesh, envoy, 0);

    mesh.catalogue.policies.clear();
    await mesh.commit();
    await checkAccepted(checks, "after routes and their subsets' clusters are gone (rule 63)", mesh, envoy, 0);

    await mesh.commit(poisoned);
    await checks.check("a poisoned route table is refused, and the reason arrives", async () => {
      await until("NACKED", async () => {
        const types = (await mesh.syncz()).proxies.find((proxy) => proxy.node === nodeId)?.types;
        return (
          types?.some(({ type, state, detail }) => type === typeUrls.route && state === "NACKED" && detail !== "") ??
          false
        );
      });
    });
    const refused = await refusedUpdates(envoy);
    await checks.check("meanwhile other types go on: endpoints change", async () => {
      mesh.withdraw(instanceOf("host-1", orders, one.port, "v1"));
      await mesh.commit(poisoned);
      await until(
        "only the second answers",
        async () => [...(await answersOf(outboundPort, "shop.Orders", 5))].join() === "orders-2",
      );
    });
    await mesh.commit();
    await checkAccepted(checks, "after the poison is gone", mesh, envoy, refused);

    await mesh.restartGateway();
    await checks.check("Envoy connects to a gateway that came back", async () => {
      await until("connected", async () => (await mesh.syncz()).proxies.some((proxy) => proxy.node === nodeId), 30_000);
    });
    await checkAccepted(checks, "after the gateway's restart", mesh, envoy, refused);
    await traffic.stop();
    await checks.check(`none of the ${traffic.calls} calls made all the while failed`, () => {
      assert.ok(traffic.calls > 0);
      assert.deepEqual(traffic.failures.slice(0, 5), []);
    });
  } finally {
    await traffic.stop();
    await envoy.stop();
    await mesh.stop();
    for (const one of backends) one.stop();
  }
  await checkRpc(checks, binary, variant);
  const code = checks.finish();
  if (code !== 0) process.stderr.write(`${envoy.output}\n`);
  return code;
}

const [word] = readCommandLine({
  usage:
    "npm run conformance:envoy -- [sotw | delta]\nAn unmodified Envoy on the gateway's configuration; both variants if none is named.",
  words: [0, 1],
}).words;
const asked = allVariants.find((variant) => variant === word);
if (asked === undefined && word !== undefined) endWrongUsage(`there is ${allVariants.join(" and ")}, and no ${word}`);

try {
  const binary = await envoyBinary();
  process.stdout.write(`Envoy ${envoyVersion}: ${binary}\n`);
  if (asked === undefined) {
    process.stdout.write("validation:\n");
    const checks = new Checks();
    await checkVerdicts(checks, binary);
    process.exitCode = checks.finish();
  }
  for (const variant of asked === undefined ? allVariants : [asked])
    process.exitCode = Math.max(await main(binary, variant), Number(process.exitCode ?? 0));
} catch (error) {
  if (!(error instanceof CannotRun)) throw error;
  process.stderr.write(`cannot run: ${error.message}\n`);
  process.exitCode = 2;
}
