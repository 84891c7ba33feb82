import assert from "node:assert/strict";
import { dubboProtocol } from "@fairlead/codec-dubbo";
import type { Instance, PolicyObject } from "@fairlead/model";
import { freePort, until } from "@fairlead/testing-basics";
import type { Checks } from "./checks.ts";
import { EnvoyProcess } from "./envoy-process.ts";
import { GatewayMesh } from "./gateway-mesh.ts";
import { encodedCall, LibraryClient, LibraryServer } from "./rpc/library-peers.ts";
import { RpcClient } from "./rpc/rpc-client.ts";

const nodeId = "edge-rpc";
const service = "org.x.Greeter";
/** Dubbo's status. What Envoy writes behind it is no text: dubbo-remoting gives the connection up. */
const serviceNotFound = 60;

function policyOf(kind: PolicyObject["kind"], name: string, spec: string): PolicyObject {
  const text = `apiVersion: networking.istio.io/v1\nkind: ${kind}\nmetadata: {name: ${name}}\nspec: ${spec}`;
  return { kind, namespace: "default", name, file: `${name}.yaml`, line: 1, text };
}

const subsets = policyOf(
  "DestinationRule",
  "subsets",
  `{host: ${service}, subsets: [{name: one, labels: {track: one}}, {name: two, labels: {track: two}}]}`,
);
const to = (subset: string): string => `[{destination: {host: ${service}, subset: ${subset}}}]`;
const byMethod = policyOf(
  "VirtualService",
  "by-method",
  `{hosts: [${service}], http: [
    {match: [{method: {exact: plus}}], route: ${to("two")}},
    {match: [{headers: {tenant: {exact: big}}}], route: ${to("two")}},
    {match: [{method: {exact: greet}}], route: ${to("one")}}]}`,
);

/** An Envoy with a mesh of its own, and two services of another implementation. */
async function started(binary: string, variant: "sotw" | "delta", protocol: "dubbo" | "bolt") {
  const mesh = new GatewayMesh();
  await mesh.start();
  const outboundRpcPort = await freePort();
  const labels = { "fairlead.io/proxy": "envoy" };
  mesh.node({ id: nodeId, app: "front", address: "127.0.0.1", outboundRpcPort, labels });
  mesh.service({ interface: service, protocol });
  const servers = [await LibraryServer.start(protocol), await LibraryServer.start(protocol)] as const;
  for (const [i, track] of ["one", "two"].entries()) {
    mesh.node({ id: track, app: "greeter", address: "127.0.0.1", labels: {} });
    const instance: Instance = {
      nodeId: track,
      interface: service,
      protocol,
      port: servers[i]!.port,
      version: "",
      group: "",
      methods: [],
      labels: { track },
      weight: 100,
      state: "ready",
    };
    mesh.instance(instance);
    servers[i]!.answer = () => track;
  }
  await mesh.commit();
  const envoy = new EnvoyProcess({ binary, nodeId, app: "front", adsPort: mesh.grpcPort, variant });
  const stop = async (): Promise<void> => {
    await envoy.stop();
    await mesh.stop();
    for (const server of servers) await server[Symbol.asyncDispose]();
  };
  try {
    await envoy.start();
    await until("Envoy is ready", async () => await envoy.ready());
    await mesh.acked(nodeId);
  } catch (error) {
    await stop();
    throw error;
  }
  return { mesh, envoy, outboundRpcPort, stop };
}

async function answers(port: number, protocol: string, method: string, props: Record<string, string> = {}) {
  using client = await LibraryClient.connect(protocol, port);
  const calls = Array.from({ length: 10 }, async () => {
    const answer = client
      .call(service, method, ["mesh"], { props })
      .catch((error: Error) => `failed: ${error.message}`);
    const late = new Promise((resolve) => setTimeout(() => resolve("no answer"), 5000).unref());
    return String(await Promise.race([answer, late]));
  });
  return [...new Set(await Promise.all(calls))].toSorted();
}

/** Dubbo through an Envoy's dubbo_proxy, as compiled; bolt through its tcp_proxy. */
export async function checkRpc(checks: Checks, binary: string, variant: "sotw" | "delta"): Promise<void> {
  const dubbo = await started(binary, variant, "dubbo");
  const { mesh, outboundRpcPort: port } = dubbo;
  try {
    await checks.check("dubbo_proxy: calls of dubbo-remoting are answered by every instance", async () => {
      assert.deepEqual(await answers(port, "dubbo", "greet"), ["one", "two"]);
    });
    mesh.policy(subsets);
    mesh.policy(byMethod);
    await mesh.commit();
    await checks.check("dubbo_proxy: a VirtualService's methods and attachments choose the subset", async () => {
      await until("the route", async () => (await answers(port, "dubbo", "plus")).join() === "two");
      assert.deepEqual(await answers(port, "dubbo", "greet"), ["one"]);
      assert.deepEqual(await answers(port, "dubbo", "greet", { tenant: "big" }), ["two"]);
    });
    await checks.check("dubbo_proxy: a call that no route takes is refused in Dubbo's own form", async () => {
      using client = await RpcClient.connect(dubboProtocol, port);
      assert.equal(await client.statusOf(encodedCall("dubbo", service, "other")), serviceNotFound);
    });
    await checks.check("dubbo_proxy: nothing was refused", async () => {
      await mesh.acked(nodeId);
      for (const [name, value] of await dubbo.envoy.stats("update_rejected$")) assert.equal(value, 0, name);
    });
  } finally {
    await dubbo.stop();
  }
  const bolt = await started(binary, variant, "bolt");
  try {
    await checks.check("bolt passes an Envoy connection by connection", async () => {
      const found = new Set<string>();
      await until("both answer", async () => {
        for (const answer of await answers(bolt.outboundRpcPort, "bolt", "greet")) found.add(answer);
        return found.has("one") && found.has("two");
      });
      assert.deepEqual([...found].toSorted(), ["one", "two"]);
    });
  } finally {
    await bolt.stop();
  }
}
