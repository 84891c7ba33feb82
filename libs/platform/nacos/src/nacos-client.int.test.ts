import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { createLogger } from "@fairlead/logging";
import { until } from "@fairlead/testing-basics";
import { startTcpRelay } from "@fairlead/zookeeper/testing";
import { GroupFollower } from "./group-follower.ts";
import type { NacosInstance } from "./instance.ts";
import { NacosClient, type NacosOptions } from "./nacos-client.ts";
import { Registrations } from "./registrations.ts";
import { type NacosStandIn, startNacosStandIn } from "./testing/nacos-stand-in.ts";

const logger = createLogger({ service: "test", level: "silent" });
const ok = { resultCode: 200, errorCode: 0 };
let nacos: NacosStandIn;
const clients: (() => Promise<void>)[] = [];

beforeEach(async () => {
  nacos = await startNacosStandIn();
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((stop) => stop()));
  await nacos.stop();
});

function connect(options: Partial<NacosOptions> = {}) {
  const log: string[] = [];
  const services = new Map<string, readonly NacosInstance[]>();
  const client = new NacosClient(
    { servers: nacos.address, logger, sessionTimeoutMs: 600, ...options },
    {
      onConnected() {
        log.push("connected");
        follower.onConnected();
        registrations.onConnected();
      },
      onSuspended() {
        log.push("suspended");
        follower.onSuspended();
      },
      onPush: (message) => void follower.onPush(message),
    },
  );
  const follower = new GroupFollower(
    { client, group: "G", logger, pollMs: 50 },
    {
      onAll(all) {
        log.push(`all ${[...all.keys()].join()}`);
        for (const [name, instances] of all) services.set(name, instances);
      },
      onService(name, instances) {
        log.push(`${name}=${instances.map(({ port }) => port).join()}`);
        services.set(name, instances);
      },
    },
  );
  const registrations = new Registrations({ client, group: "G", logger });
  client.start();
  clients.push(async () => {
    follower.stop();
    registrations.stop();
    await client.close();
  });
  return { client, log, registrations };
}

const info = (name: string, ports: readonly number[], lastRefTime = 1) => ({ name, groupName: "G", hosts: ports.map((port) => ({ ip: "10.0.0.1", port, metadata: {} })), lastRefTime }); // prettier-ignore

/** A registry with these services, in the stand-in. */
function serve(services: Map<string, readonly number[]>): void {
  nacos.answers.set("ServiceListRequest", () => ({ ...ok, count: services.size, serviceNames: [...services.keys()] }));
  nacos.answers.set("SubscribeServiceRequest", ({ serviceName }) => ({ ...ok, serviceInfo: info(String(serviceName), services.get(String(serviceName)) ?? []) })); // prettier-ignore
  nacos.answers.set("InstanceRequest", () => ok);
  nacos.answers.set("BatchInstanceRequest", () => ok);
}
const sent = (type: string) => nacos.requests.filter((request) => request.type === type);

test("a push is acknowledged under its number; one older than what is known is not believed", async () => {
  serve(new Map([["a", [1]]]));
  const { log } = connect();
  await until("read", () => log.includes("all a"));
  nacos.push("NotifySubscriberRequest", { requestId: "7", serviceInfo: info("a", [1, 2], 3) });
  nacos.push("NotifySubscriberRequest", { requestId: "8", serviceInfo: info("a", [9], 2) });
  nacos.push("ClientDetectionRequest", { requestId: "9" });
  await until("answered", () => nacos.acknowledged.length === 3);
  assert.deepEqual(
    nacos.acknowledged.map(({ type, body }) => [type, body["requestId"], body["resultCode"]]),
    [["NotifySubscriberResponse", "7", 200], ["NotifySubscriberResponse", "8", 200], ["ClientDetectionResponse", "9", 200]],
  ); // prettier-ignore
  assert.deepEqual(log, ["connected", "all a", "a=1,2"]);
});

test("over a new connection everything is subscribed to and registered again", async () => {
  serve(new Map([["a", [1]]]));
  const { log, registrations } = connect();
  const one = { ip: "10.0.0.2", port: 1, weight: 1, metadata: {} };
  registrations.set(new Map([["x", [one]], ["y", [one, { ...one, port: 2 }]]])); // prettier-ignore
  await until("registered", () => sent("InstanceRequest").length === 1 && sent("BatchInstanceRequest").length === 1);
  await until("read", () => log.length === 2);
  nacos.drop();
  await until("again", () => sent("InstanceRequest").length === 2 && sent("BatchInstanceRequest").length === 2);
  await until("read again", () => log.length === 5);
  assert.deepEqual(log, ["connected", "all a", "suspended", "connected", "all a"]);
  nacos.push("ConnectResetRequest", { requestId: "1" });
  await until("once more", () => log.length === 8);
});

test("services that appear are found; one that has left the list stays while it has instances", async () => {
  const services = new Map<string, readonly number[]>([["a", [1]]]);
  serve(services);
  const { log } = connect();
  await until("read", () => log.length === 2);
  services.set("b", [2]);
  await until("found", () => log.includes("b=2"));
  nacos.answers.set("ServiceListRequest", () => ({ ...ok, count: 0, serviceNames: [] }));
  const asked = sent("SubscribeServiceRequest").length;
  await until("asked", () => sent("SubscribeServiceRequest").length > asked + 2);
  assert.equal(log.length, 3);
  services.set("b", []);
  await until("gone", () => log.includes("b="));
});

test("garbage and what is no service end the connection, and all is read again", async () => {
  serve(new Map([["a", [1]]]));
  const { log } = connect();
  await until("read", () => log.length === 2);
  nacos.pushGarbage();
  await until("read again", () => log.filter((word) => word === "all a").length === 2);
  nacos.push("NotifySubscriberRequest", { requestId: "1", serviceInfo: "none" });
  await until("once more", () => log.filter((word) => word === "all a").length === 3);
});

test("an answer that is too large fails its request alone", async () => {
  serve(new Map());
  nacos.answers.set("Big", () => ({ ...ok, text: "x".repeat(100_000) }));
  const { client, log } = connect({ maxMessageBytes: 50_000 });
  await until("read", () => log.length === 2);
  await assert.rejects(client.request("Big", {}), { code: "FL_NACOS_UNAVAILABLE" });
  await assert.rejects(client.request("Unknown", {}), { code: "FL_NACOS_REFUSED", facts: { request: "Unknown", reason: 302 } }); // prettier-ignore
  assert.deepEqual(log, ["connected", "all "]);
});

test("a connection that carries nothing any more counts as lost within the session time", async () => {
  serve(new Map([["a", [1]]]));
  const relay = await startTcpRelay(nacos.grpcPort);
  const relayPort = Number(relay.address.split(":")[1]) - 1_000;
  const { log } = connect({ servers: `127.0.0.1:${relayPort}`, connectTimeoutMs: 300 });
  await until("read", () => log.length === 2);
  relay.cut();
  const cutAt = performance.now();
  await until("noticed", () => log.includes("suspended"));
  assert(performance.now() - cutAt < 600 + 200, `${performance.now() - cutAt} ms`);
  relay.restore();
  relay.reset();
  await until("read again", () => log.at(-1) === "all a" && log.length === 5);
  await Promise.all(clients.splice(0).map((stop) => stop()));
  await relay.stop();
});

test("a token goes with each request, is renewed when it is refused and before it ends, and is in no message", async () => {
  await nacos.stop();
  nacos = await startNacosStandIn(0.5);
  serve(new Map());
  let refusedToken: string | undefined;
  nacos.answers.set("Ask", () => {
    const { token } = sent("Ask").at(-1)!;
    refusedToken ??= token;
    return token === refusedToken ? { resultCode: 500, errorCode: 403, message: "token expired!" } : ok;
  });
  const credentials = { username: "mesh", password: async () => "p@ss word" };
  const { client, log } = connect({ credentials });
  await until("connected", () => log.includes("connected"));
  assert.deepEqual(Object.fromEntries(nacos.logins[0]!), { username: "mesh", password: "p@ss word" });
  await client.request("Ask", {});
  const tokens = sent("Ask").map(({ token }) => token);
  assert.equal(tokens.length, 2);
  assert.notEqual(tokens[0], tokens[1]);
  const before = nacos.logins.length;
  await until("renewed", () => nacos.logins.length > before + 1);
  nacos.answers.set("Never", () => ({ resultCode: 500, errorCode: 403, message: "authorization failed!" }));
  await assert.rejects(client.request("Never", {}), (error: Error) => !/token-\d|p@ss/.test(JSON.stringify(error) + error.message)); // prettier-ignore
});
