import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { rpcProtocols } from "@fairlead/proxy-stream";
import { freePort, until } from "@fairlead/testing-basics";
import { encodedCall, LibraryClient, LibraryServer } from "./rpc/library-peers.ts";
import { MeshOfSidecars } from "./rpc/mesh-of-sidecars.ts";
import { RpcClient } from "./rpc/rpc-client.ts";

const service = "org.x.Greeter";
const to = (subset: string): string => `{destination: {host: ${service}, subset: ${subset}}}`;

/** What the caller's own framework says: sofa-bolt-node has one sentence for all that comes without an exception's content. */
const words = (protocol: string, dubbo: RegExp): RegExp =>
  protocol === "bolt" ? /^Server exception when invoke/ : dubbo;

/** What each protocol says where HTTP has this status. */
const statusOfAbort: Readonly<Record<string, { readonly bolt: number; readonly dubbo: number }>> = {
  400: { bolt: 9, dubbo: 40 },
  403: { bolt: 2, dubbo: 80 },
  404: { bolt: 6, dubbo: 60 },
  429: { bolt: 4, dubbo: 100 },
  500: { bolt: 3, dubbo: 70 },
  502: { bolt: 6, dubbo: 60 },
  503: { bolt: 4, dubbo: 100 },
  504: { bolt: 7, dubbo: 31 },
};

/** Two providers, each behind a sidecar unless `direct`, and a caller with its own. */
async function meshOf(protocol: string, http: string, direct = false) {
  const servers = [await LibraryServer.start(protocol), await LibraryServer.start(protocol)] as const;
  const nodes = await Promise.all(
    ["one", "two"].map(async (id) =>
      direct ? { id } : { id, inboundPort: await freePort(), outboundRpcPort: await freePort() },
    ),
  );
  const outboundRpcPort = await freePort();
  const mesh = await MeshOfSidecars.start(
    [...nodes, { id: "caller", outboundRpcPort }],
    nodes.map(({ id }, i) => ({
      nodeId: id,
      interface: service,
      protocol: protocol as "dubbo" | "bolt",
      port: servers[i]!.port,
      labels: { track: id },
    })),
    http === ""
      ? ""
      : `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: r}
spec: {host: ${service}, subsets: [{name: one, labels: {track: one}}, {name: two, labels: {track: two}}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: v}
spec: {hosts: [${service}], http: [${http}]}
`,
  );
  const client = await LibraryClient.connect(protocol, outboundRpcPort);
  return {
    one: servers[0],
    two: servers[1],
    mesh,
    client,
    outboundRpcPort,
    greet: async (options = {}) => await client.call(service, "greet", ["mesh"], options),
    async [Symbol.asyncDispose]() {
      client[Symbol.dispose]();
      await mesh[Symbol.asyncDispose]();
      for (const server of servers) await server[Symbol.asyncDispose]();
    },
  };
}

async function timed(work: Promise<unknown>): Promise<{ readonly ms: number; readonly message: string }> {
  const began = performance.now();
  const message = await work.then(
    (value) => `answered ${String(value)}`,
    (error: Error) => error.message,
  );
  return { ms: performance.now() - began, message };
}

for (const protocol of rpcProtocols.keys()) {
  describe(`${protocol} of another implementation, on both sides`, () => {
    test("calls, heartbeats and what a service throws pass two sidecars", async () => {
      await using shop = await meshOf(protocol, "");
      const answers = await Promise.all(Array.from({ length: 50 }, () => shop.greet()));
      assert.ok(answers.every((answer) => answer === "hello mesh"));
      assert.ok(shop.one.calls.length > 0 && shop.two.calls.length > 0, "both take a part");
      for (const server of [shop.one, shop.two]) {
        server.answer = () => {
          throw new Error("as asked");
        };
      }
      await assert.rejects(shop.greet(), /as asked/);
      shop.client.heartbeat();
      await until("the sidecar answers the heartbeat", () => shop.client.heartbeatsAnswered === 1);
      assert.equal(shop.one.calls.length + shop.two.calls.length, 51, "what a service throws is an answer: no retry");
    });

    test("a mirrored call is answered by its own destination, and the copy reaches the other", async () => {
      await using shop = await meshOf(
        protocol,
        `{route: [${to("one")}], mirror: {host: ${service}, subset: two}, mirrorPercentage: {value: 100}}`,
      );
      shop.two.answer = () => "the copy";
      for (let i = 0; i < 5; i++) assert.equal(await shop.greet(), "hello mesh");
      await until("all copies", () => shop.two.calls.length === 5);
      assert.deepEqual([shop.one.calls.length, shop.two.calls[0]?.args], [5, ["mesh"]]);
    });

    test("an attachment chooses the subset", async () => {
      await using shop = await meshOf(
        protocol,
        `{match: [{headers: {dubbo.tag: {exact: gray}}}], route: [${to("two")}]}, {route: [${to("one")}]}`,
      );
      await shop.greet();
      await shop.greet({ props: { "dubbo.tag": "gray" } });
      await shop.greet({ props: { "dubbo.tag": "blue" } });
      assert.deepEqual([shop.one.calls.length, shop.two.calls.length], [2, 1]);
      assert.equal(shop.two.calls[0]?.props["dubbo.tag"], "gray");
    });

    test("a delay holds the call back, an abort fails it, for those calls that match", async () => {
      await using shop = await meshOf(
        protocol,
        `{match: [{headers: {kind: {exact: late}}}], fault: {delay: {fixedDelay: 300ms, percentage: {value: 100}}}, route: [${to("one")}]},
         {match: [{headers: {kind: {exact: bad}}}], fault: {abort: {httpStatus: 503, percentage: {value: 100}}}, route: [${to("one")}]},
         {route: [${to("one")}]}`,
      );
      const late = await timed(shop.greet({ props: { kind: "late" } }));
      assert.equal(late.message, "answered hello mesh");
      assert.ok(late.ms >= 290, `${late.ms} ms`);
      assert.match(
        (await timed(shop.greet({ props: { kind: "bad" } }))).message,
        words(protocol, /fault filter abort/),
      );
      assert.equal(await shop.greet(), "hello mesh");
      assert.equal(shop.one.calls.length, 2);
    });

    test("an abort's HTTP status is told by the protocol's own", async () => {
      const aborts = Object.keys(statusOfAbort).map(
        (status) =>
          `{match: [{method: {exact: m${status}}}], fault: {abort: {httpStatus: ${status}, percentage: {value: 100}}}, route: [${to("one")}]}`,
      );
      await using shop = await meshOf(protocol, aborts.join());
      using client = await RpcClient.connect(rpcProtocols.get(protocol)!, shop.outboundRpcPort);
      for (const [status, expected] of Object.entries(statusOfAbort)) {
        const found = await client.statusOf(encodedCall(protocol, service, `m${status}`));
        assert.equal(found, expected[protocol as "bolt" | "dubbo"], status);
      }
      assert.equal(shop.one.calls.length, 0);
    });

    test("the caller's own time-out ends the call, whatever the route and its retries allow", async () => {
      await using shop = await meshOf(
        protocol,
        `{timeout: 20s, retries: {attempts: 50, perTryTimeout: 150ms, retryOn: 5xx}, route: [${to("one")}]}`,
      );
      shop.one.answer = () => undefined;
      const { ms, message } = await timed(shop.greet({ timeoutMs: 700 }));
      assert.match(message, words(protocol, /timeout/));
      assert.ok(ms >= 690 && ms < 3000, `${ms} ms`);
      const attempts = shop.one.calls.length;
      assert.ok(attempts >= 2, `${attempts} attempts`);
      assert.equal(shop.mesh.stat("caller", `cluster.outbound|${protocol}|one|${service}.upstream_rq_retry_active`), 0);
    });

    test("a route's time-out that is shorter holds", async () => {
      await using shop = await meshOf(protocol, `{timeout: 400ms, route: [${to("one")}]}`);
      shop.one.answer = () => undefined;
      const { ms, message } = await timed(shop.greet({ timeoutMs: 15_000 }));
      assert.match(message, words(protocol, /timeout/));
      assert.ok(ms >= 390 && ms < 3000, `${ms} ms`);
    });

    for (const direct of [true, false]) {
      test(`an instance that cannot be connected to is passed over, ${direct ? "without" : "behind"} its sidecar`, async () => {
        await using shop = await meshOf(protocol, "", direct);
        await shop.one[Symbol.asyncDispose]();
        shop.one[Symbol.asyncDispose] = async () => undefined;
        for (let i = 0; i < 10; i++) assert.equal(await shop.greet(), "hello mesh");
        assert.equal(shop.two.calls.length, 10);
      });
    }

    test("a call that may have been begun is not sent again of itself", async () => {
      await using shop = await meshOf(protocol, "");
      for (const server of [shop.one, shop.two]) {
        server.answer = () => {
          for (const socket of server.sockets) socket.destroy();
          return undefined;
        };
      }
      await assert.rejects(shop.greet());
      assert.equal(shop.one.calls.length + shop.two.calls.length, 1);
    });
  });
}

for (const protocol of rpcProtocols.keys()) {
  test(`a one-way call over ${protocol} reaches its service once, and nobody waits for an answer`, async () => {
    await using shop = await meshOf(protocol, `{timeout: 300ms, retries: {attempts: 3, retryOn: 5xx}, route: [${to("one")}]}`); // prettier-ignore
    shop.one.answer = () => undefined;
    shop.client.callOneWay(service, "greet");
    await until("the one-way call", () => shop.one.calls.length === 1);
    await until("it is over", () => shop.mesh.stat("caller", "rpc.outbound_rpc.downstream_rq_active") === 0);
    assert.equal(shop.mesh.stat("caller", "rpc.outbound_rpc.downstream_rq_5xx"), 0);
    shop.one.answer = () => "hello";
    assert.equal(await shop.greet(), "hello");
    assert.equal(shop.one.calls.length, 2);
  });
}

test("an instance that says READONLY gets no more calls, and again some once it says that it is back", async () => {
  await using shop = await meshOf("dubbo", "", true);
  const event = (text: string): Buffer => Buffer.from(`dabba20000000000000000000000000201${text}`, "hex");
  const say = (text: string): void => {
    for (const socket of shop.one.sockets) socket.write(event(text));
  };
  const healthy = () => shop.mesh.stat("caller", `cluster.outbound|dubbo||${service}.membership_healthy`);
  for (let i = 0; i < 10; i++) await shop.greet();
  assert.ok(shop.one.calls.length > 0);
  // Calls without an answer keep the connection, so that it can take its word back.
  shop.one.answer = () => undefined;
  const before = shop.one.calls.length;
  const held = [shop.greet(), shop.greet(), shop.greet()].map((call) => call.catch(() => undefined));
  await until("a call is held", () => shop.one.calls.length > before);
  const calls = shop.one.calls.length;
  say("52");
  await until("it is leaving", () => healthy() === 1);
  for (let i = 0; i < 10; i++) assert.equal(await shop.greet(), "hello mesh");
  assert.equal(shop.one.calls.length, calls);
  say("57");
  await until("it is back", () => healthy() === 2);
  shop.one.answer = () => "hello again";
  const answers = await Promise.all(Array.from({ length: 10 }, () => shop.greet()));
  assert.ok(answers.includes("hello again"));
  shop.client[Symbol.dispose]();
  void held;
});
