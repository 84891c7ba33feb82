import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { connect } from "node:net";
import { test } from "node:test";
import { boltProtocol } from "@fairlead/codec-bolt";
import { goldenFrames as bolt } from "@fairlead/codec-bolt/testing";
import { dubboProtocol } from "@fairlead/codec-dubbo";
import { goldenFrames as dubbo } from "@fairlead/codec-dubbo/testing";
import { freePort } from "@fairlead/testing-basics";
import { MeshOfSidecars, type Published } from "./rpc/mesh-of-sidecars.ts";
import { RpcClient } from "./rpc/rpc-client.ts";
import { RpcHost } from "./rpc/rpc-host.ts";

const peers = {
  dubbo: {
    protocol: dubboProtocol,
    request: Buffer.from(dubbo["hessian2 request"], "hex"),
    answer: Buffer.from(dubbo["hessian2 value"], "hex"),
    idAt: 4,
    idBytes: 8,
    statuses: { noRoute: 60, noHealthy: 60, timeout: 31 },
  },
  bolt: {
    protocol: boltProtocol,
    request: Buffer.from(bolt["v1 request"], "hex"),
    answer: Buffer.from(bolt["v1 response"], "hex"),
    idAt: 5,
    idBytes: 4,
    statuses: { noRoute: 6, noHealthy: 6, timeout: 7 },
  },
} as const;

for (const [name, { protocol, request, answer, idAt, idBytes }] of Object.entries(peers)) {
  const { service, version, group, method } = protocol.callOf(protocol.frameOf(Buffer.from(request)));
  const withoutId = (bytes: Buffer): string =>
    Buffer.concat([bytes.subarray(0, idAt), bytes.subarray(idAt + idBytes)]).toString("hex");
  const publishedBy = (nodeId: string, port: number, more: Partial<Published> = {}): Published => ({
    nodeId,
    interface: service,
    protocol: name as "dubbo" | "bolt",
    port,
    ...more,
  });

  test(`a ${name} call goes through two sidecars, and nothing of it is changed but for its id`, async () => {
    await using host = await RpcHost.start(protocol, answer);
    const [inboundPort, outboundRpcPort, calleeRpcPort] = [await freePort(), await freePort(), await freePort()];
    await using mesh = await MeshOfSidecars.start(
      [
        { id: "callee", inboundPort, outboundRpcPort: calleeRpcPort },
        { id: "caller", outboundRpcPort },
      ],
      [publishedBy("callee", host.port)],
    );
    using client = await RpcClient.connect(protocol, outboundRpcPort);
    const answers = await Promise.all(Array.from({ length: 20 }, () => client.call(request)));
    for (const { bytes } of answers) assert.equal(withoutId(bytes), withoutId(answer));
    assert.equal(host.calls.length, 20);
    assert.equal(host.calls[0]?.method, method);
    assert.equal(mesh.stat("caller", "rpc.outbound_rpc.downstream_rq_total"), 20);
    assert.equal(mesh.stat("callee", "rpc.inbound.downstream_rq_2xx"), 20);
    assert.equal(mesh.stat("callee", `cluster.inbound|${host.port}.upstream_cx_total`), 1);
  });

  test(`a ${name} call that asks for a version or group gets instances that have it`, async () => {
    await using wanted = await RpcHost.start(protocol, answer);
    await using other = await RpcHost.start(protocol, answer);
    const outboundRpcPort = await freePort();
    await using mesh = await MeshOfSidecars.start(
      [{ id: "one" }, { id: "two" }, { id: "caller", outboundRpcPort }],
      [
        publishedBy("one", wanted.port, { version, group }),
        publishedBy("two", other.port, { version: "9.9", group: "nobody" }),
      ],
    );
    using client = await RpcClient.connect(protocol, outboundRpcPort);
    for (let i = 0; i < 6; i++) await client.call(request);
    assert.deepEqual([wanted.calls.length, other.calls.length], [6, 0]);
    assert.equal(mesh.stat("caller", "rpc.outbound_rpc.downstream_rq_2xx"), 6);
  });

  test(`a VirtualService routes ${name} calls by method and path, and faults and time-outs are told as ${name} does`, async () => {
    await using host = await RpcHost.start(protocol, answer);
    await using canary = await RpcHost.start(protocol, answer);
    const outboundRpcPort = await freePort();
    const start = (http: string) =>
      MeshOfSidecars.start(
        [{ id: "one" }, { id: "two" }, { id: "caller", outboundRpcPort }],
        [publishedBy("one", host.port), publishedBy("two", canary.port, { labels: { track: "canary" } })],
        `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: r}
spec: {host: ${service}, subsets: [{name: canary, labels: {track: canary}}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: v}
spec: {hosts: [${service}], http: [${http}]}
`,
      );
    const toCanary = `route: [{destination: {host: ${service}, subset: canary}}]`;
    const { statuses } = peers[name as keyof typeof peers];
    {
      await using mesh = await start(
        `{match: [{uri: {exact: /${service}/${method}}, method: {exact: ${method}}}], ${toCanary}}`,
      );
      using client = await RpcClient.connect(protocol, outboundRpcPort);
      for (let i = 0; i < 4; i++) await client.call(request);
      assert.deepEqual([host.calls.length, canary.calls.length], [0, 4]);
      assert.equal(mesh.stat("caller", "rpc.outbound_rpc.downstream_rq_2xx"), 4);
    }
    {
      await using mesh = await start(`{match: [{uri: {exact: /other}}], ${toCanary}}`);
      using client = await RpcClient.connect(protocol, outboundRpcPort);
      assert.equal(await client.statusOf(request), statuses.noRoute);
      assert.equal(mesh.stat("caller", "rpc.outbound_rpc.no_route"), 1);
    }
    {
      await using mesh = await start(`{fault: {abort: {httpStatus: 504, percentage: {value: 100}}}, ${toCanary}}`);
      using client = await RpcClient.connect(protocol, outboundRpcPort);
      assert.equal(await client.statusOf(request), statuses.timeout);
      assert.equal(mesh.stat("caller", "rpc.outbound_rpc.downstream_rq_5xx"), 1);
    }
    {
      canary.silent = true;
      await using mesh = await start(`{timeout: 50ms, ${toCanary}}`);
      using client = await RpcClient.connect(protocol, outboundRpcPort);
      assert.equal(await client.statusOf(request), statuses.timeout);
      assert.equal(mesh.stat("caller", "rpc.outbound_rpc.downstream_rq_5xx"), 1);
    }
  });
}

test("Dubbo, bolt and HTTP share an inbound listener, and one interface may be there over several", async (t) => {
  await using overDubbo = await RpcHost.start(dubboProtocol, peers.dubbo.answer);
  await using overBolt = await RpcHost.start(boltProtocol, peers.bolt.answer);
  const web = createServer((_request, response) => response.end("over HTTP")).listen(0, "127.0.0.1");
  t.after(() => web.close());
  await once(web, "listening");
  const { service } = dubboProtocol.callOf(dubboProtocol.frameOf(Buffer.from(peers.dubbo.request)));
  const inboundPort = await freePort();
  const port = (web.address() as { port: number }).port;
  await using mesh = await MeshOfSidecars.start(
    [{ id: "callee", inboundPort, outboundRpcPort: await freePort() }],
    [
      { nodeId: "callee", interface: service, protocol: "dubbo", port: overDubbo.port },
      { nodeId: "callee", interface: service, protocol: "bolt", port: overBolt.port },
      { nodeId: "callee", interface: service, protocol: "http", port },
    ],
  );
  for (const { protocol, request } of Object.values(peers)) {
    using client = await RpcClient.connect(protocol, inboundPort);
    assert.equal(protocol.outcomeOf(await client.call(request)).delivered, true);
  }
  assert.deepEqual([overDubbo.calls.length, overBolt.calls.length], [1, 1]);
  assert.equal(mesh.stat("callee", "rpc.inbound.downstream_rq_2xx"), 2);
  const answer = await fetch(`http://127.0.0.1:${inboundPort}/`, { headers: { connection: "close" } });
  assert.equal(await answer.text(), "over HTTP");
});

test("a connection that speaks neither is closed at once", async () => {
  const outboundRpcPort = await freePort();
  await using mesh = await MeshOfSidecars.start([{ id: "caller", outboundRpcPort }], []);
  const socket = connect(outboundRpcPort, "127.0.0.1");
  socket.on("error", () => undefined);
  socket.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
  await once(socket, "close");
  assert.equal(mesh.stat("caller", "rpc.outbound_rpc.downstream_cx_protocol_error"), 1);
});
