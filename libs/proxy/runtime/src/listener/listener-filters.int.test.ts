import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { test } from "node:test";
import { create, type DescMessage, fromBinary, type MessageInitShape } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { HttpInspectorSchema } from "@fairlead/envoy-api/envoy/extensions/filters/listener/http_inspector/v3/http_inspector_pb.js";
import { ProxyProtocolSchema } from "@fairlead/envoy-api/envoy/extensions/filters/listener/proxy_protocol/v3/proxy_protocol_pb.js";
import { ListenerSchema } from "@fairlead/envoy-api/envoy/config/listener/v3/listener_pb.js";
import { registerListenerFilter } from "@fairlead/proxy-filter";
import { freePort } from "@fairlead/testing-basics";
import { Backend } from "../testing/backend.ts";
import { TestProxy } from "../testing/proxy.ts";
import { duration, listener, routes, staticCluster, toCluster } from "../testing/resources.ts";
import type { XdsResource } from "../xds-resource.ts";

const PROXIED = "PROXY TCP4 203.0.113.7 192.0.2.1 51234 443\r\n";
const REQUEST = "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";

function filter<Desc extends DescMessage>(name: string, schema: Desc, init: MessageInitShape<Desc> = {} as never) {
  const value = anyPack(schema, create(schema, init));
  return { name, configType: { case: "typedConfig" as const, value } };
}

type ListenerInit = NonNullable<Parameters<typeof listener>[3]>;

async function proxyWith(init: ListenerInit, backend: Backend, more: readonly XdsResource[] = []): Promise<TestProxy> {
  return TestProxy.start({
    clusters: [staticCluster("app", [backend.port])],
    listeners: [listener("in", 0, { useRemoteAddress: true }, init), ...more],
    routes: [routes("in", toCluster("*", "app"))],
  });
}

/** Says which client it was told of. */
const whoAmI = (): Promise<Backend> =>
  Backend.start((request, response) => {
    request.resume();
    response.end(String(request.headers["x-forwarded-for"]));
  });

/** Sends bytes and reads to the end; "" when the connection is closed without a word. */
async function exchange(port: number, ...parts: readonly string[]): Promise<string> {
  const socket: Socket = connect({ port, host: "127.0.0.1", noDelay: true });
  await once(socket, "connect");
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  const closed = new Promise((resolve) => socket.on("close", resolve));
  socket.on("error", () => undefined);
  for (const part of parts) {
    socket.write(part);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await closed;
  return Buffer.concat(chunks).toString();
}

test("the client that a PROXY header names is the client, in whatever pieces it comes", async () => {
  await using backend = await whoAmI();
  const filters = [filter("proxy", ProxyProtocolSchema)];
  await using proxy = await proxyWith({ listenerFilters: filters }, backend);
  const port = proxy.port("in");
  assert.match(await exchange(port, PROXIED + REQUEST), /203\.0\.113\.7$/);
  assert.match(await exchange(port, PROXIED.slice(0, 9), PROXIED.slice(9), REQUEST), /203\.0\.113\.7$/);
  assert.equal(await exchange(port, REQUEST), "");
  assert.equal(await exchange(port, "PROXY TCP4 x y 1 2\r\n" + REQUEST), "");
  const listenerStat = (name: string): number => proxy.stat(`listener.127.0.0.1_${port}.${name}`);
  assert.equal(listenerStat("proxy_proto.versions.v1.found"), 2);
  assert.equal(listenerStat("proxy_proto.versions.v1.error"), 1);
  assert.equal(listenerStat("proxy_proto.not_found_disallowed"), 1);
  assert.equal(listenerStat("downstream_pre_cx_active"), 0);
});

test("a stat_prefix tells the PROXY counters of one filter from those of another", async () => {
  await using backend = await whoAmI();
  const filters = [filter("proxy", ProxyProtocolSchema, { statPrefix: "edge" })];
  await using proxy = await proxyWith({ listenerFilters: filters }, backend);
  const port = proxy.port("in");
  assert.match(await exchange(port, PROXIED + REQUEST), /203\.0\.113\.7$/);
  assert.equal(proxy.stat(`listener.127.0.0.1_${port}.proxy_proto.edge.versions.v1.found`), 1);
});

test("connections without a PROXY header are served where that is allowed, versions that are not allowed are not", async () => {
  await using backend = await whoAmI();
  const config = { allowRequestsWithoutProxyProtocol: true, disallowedVersions: [0] };
  await using proxy = await proxyWith({ listenerFilters: [filter("proxy", ProxyProtocolSchema, config)] }, backend);
  assert.match(await exchange(proxy.port("in"), REQUEST), /127\.0\.0\.1$/);
  assert.equal(await exchange(proxy.port("in"), PROXIED + REQUEST), "");
});

test("the HTTP that a client speaks chooses a filter chain", async () => {
  await using backend = await whoAmI();
  const [chain] = fromBinary(ListenerSchema, listener("in", 0).body).filterChains;
  const old = { filters: chain?.filters ?? [], name: "old", filterChainMatch: { applicationProtocols: ["http/1.1"] } };
  const init = { listenerFilters: [filter("http", HttpInspectorSchema)], filterChains: [old] };
  await using proxy = await proxyWith(init, backend);
  const port = proxy.port("in");
  assert.match(await exchange(port, "GET / HT", REQUEST.slice(8)), /^HTTP\/1\.1 200 /);
  assert.equal(await exchange(port, REQUEST.replace("1.1", "1.0")), "");
  assert.equal(await exchange(port, "\0\0\0\n"), "");
  assert.equal(proxy.stat(`listener.127.0.0.1_${port}.no_filter_chain_match`), 2);
  assert.equal(proxy.stat(`listener.127.0.0.1_${port}.http_inspector.http10_found`), 1);
});

test("a client that is silent is closed after listener_filters_timeout, or served where that is wanted", async () => {
  await using backend = await whoAmI();
  const init = { listenerFilters: [filter("http", HttpInspectorSchema)], listenerFiltersTimeout: duration(20) };
  await using proxy = await proxyWith(init, backend);
  assert.equal(await exchange(proxy.port("in")), "");
  assert.equal(proxy.stat(`listener.127.0.0.1_${proxy.port("in")}.downstream_pre_cx_timeout`), 1);
  await using patient = await proxyWith({ ...init, continueOnListenerFiltersTimeout: true }, backend);
  const socket = connect({ port: patient.port("in"), host: "127.0.0.1" });
  await once(socket, "connect");
  while (patient.stat("http.in.downstream_cx_total") === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  socket.write(REQUEST);
  const [answer] = (await once(socket, "data")) as [Buffer];
  assert.match(answer.toString(), /^HTTP\/1\.1 200 /);
});

test("a connection goes to the listener of the address that it was meant for, if there is one", async () => {
  await using backend = await whoAmI();
  await using other = await Backend.named("virtual");
  const port = await freePort();
  const virtual = listener("virtual", 0, {}, { bindToPort: false, address: addressOf("192.0.2.1", 443) });
  const init = { listenerFilters: [filter("proxy", ProxyProtocolSchema)], useOriginalDst: true };
  await using proxy = await TestProxy.start({
    clusters: [staticCluster("app", [backend.port]), staticCluster("other", [other.port])],
    listeners: [listener("in", port, { useRemoteAddress: true }, init), virtual],
    routes: [routes("in", toCluster("*", "app")), routes("virtual", toCluster("*", "other"))],
  });
  assert.equal(proxy.port("in"), port);
  assert.match(await exchange(port, PROXIED + REQUEST), /virtual$/);
  assert.match(await exchange(port, PROXIED.replace(" 443", " 444") + REQUEST), /203\.0\.113\.7$/);
});

function addressOf(address: string, port: number): NonNullable<ListenerInit["address"]> {
  return {
    address: { case: "socketAddress", value: { address, portSpecifier: { case: "portValue", value: port } } },
  };
}

test("a third party's listener filter is called by the type of its configuration", async () => {
  await using backend = await whoAmI();
  const typeUrl = "type.googleapis.com/google.protobuf.Struct";
  registerListenerFilter(typeUrl, () => ({
    maxBytes: 0,
    look(_bytes, facts, count) {
      count("third_party.seen");
      facts.remoteAddress = "198.51.100.9";
      return 0;
    },
  }));
  const own = {
    name: "own",
    configType: { case: "typedConfig" as const, value: { typeUrl, value: new Uint8Array() } },
  };
  await using proxy = await proxyWith({ listenerFilters: [own] }, backend);
  assert.match(await exchange(proxy.port("in"), REQUEST), /198\.51\.100\.9$/);
  assert.equal(proxy.stat(`listener.127.0.0.1_${proxy.port("in")}.third_party.seen`), 1);
});
