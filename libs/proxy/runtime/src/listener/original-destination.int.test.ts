import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { Cluster_DiscoveryType, Cluster_LbPolicy } from "@fairlead/envoy-api/envoy/config/cluster/v3/cluster_pb.js";
import { ProxyProtocolSchema } from "@fairlead/envoy-api/envoy/extensions/filters/listener/proxy_protocol/v3/proxy_protocol_pb.js";
import { Backend } from "../testing/backend.ts";
import { call } from "../testing/client.ts";
import { TestProxy } from "../testing/proxy.ts";
import { cluster, duration, listener, routes, toCluster } from "../testing/resources.ts";

type ClusterInit = NonNullable<Parameters<typeof cluster>[1]>;

const passingOn = (init: ClusterInit = {}) =>
  cluster("meant", {
    clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.ORIGINAL_DST },
    edsClusterConfig: undefined,
    lbPolicy: Cluster_LbPolicy.CLUSTER_PROVIDED,
    ...init,
  });

const withHeader = (more: object = {}): ClusterInit => ({
  lbConfig: { case: "originalDstLbConfig", value: { useHttpHeader: true, ...more } as never },
});

async function proxyTo(init: ClusterInit, listenerInit: Parameters<typeof listener>[3] = {}): Promise<TestProxy> {
  return TestProxy.start({
    clusters: [passingOn(init)],
    listeners: [listener("in", 0, {}, listenerInit)],
    routes: [routes("in", toCluster("*", "meant"))],
  });
}

test("a request goes where its connection was going before a balancer sent it here", async () => {
  await using backend = await Backend.named("meant");
  const value = anyPack(ProxyProtocolSchema, create(ProxyProtocolSchema));
  const listenerFilters = [{ name: "proxy", configType: { case: "typedConfig" as const, value } }];
  await using proxy = await proxyTo({}, { listenerFilters });
  const socket = connect({ port: proxy.port("in"), host: "127.0.0.1" });
  socket.write(`PROXY TCP4 203.0.113.7 127.0.0.1 51234 ${backend.port}\r\nGET / HTTP/1.1\r\nhost: a\r\n\r\n`);
  const [answer] = (await once(socket, "data")) as [Buffer];
  assert.match(answer.toString(), /^HTTP\/1\.1 200 [^]*meant/);
  socket.destroy();
});

test("a header says where, if the cluster says so; the port may be another", async () => {
  await using backend = await Backend.named("meant");
  const headers = { "x-envoy-original-dst-host": `127.0.0.1:${backend.port}` };
  await using proxy = await proxyTo(withHeader());
  assert.equal((await call(proxy.port("in"), { headers })).body, "meant");
  for (const bad of ["127.0.0.1", "localhost:80", "127.0.0.1:99999", "::1:80"]) {
    const answer = await call(proxy.port("in"), { headers: { "x-envoy-original-dst-host": bad } });
    assert.equal(answer.status, 503, bad);
  }
  assert.equal(proxy.stat("cluster.meant.original_dst_host_invalid"), 4);
  await using other = await proxyTo(withHeader({ httpHeaderName: "X-To", upstreamPortOverride: backend.port }));
  assert.equal((await call(other.port("in"), { headers: { "x-to": "127.0.0.1:1" } })).body, "meant");
});

test("without the header and with a connection that was not sent here there is no host: never the proxy itself", async () => {
  await using backend = await Backend.named("meant");
  const headers = { "x-envoy-original-dst-host": `127.0.0.1:${backend.port}` };
  await using proxy = await proxyTo({}, { useOriginalDst: true });
  const answer = await call(proxy.port("in"), { headers });
  assert.equal(answer.status, 503);
  assert.equal(answer.body, "no healthy upstream");
});

test("a host that nobody asks for is forgotten after the cleanup interval", async () => {
  await using backend = await Backend.named("meant");
  await using proxy = await proxyTo({ ...withHeader(), cleanupInterval: duration(20) });
  const headers = { "x-envoy-original-dst-host": `127.0.0.1:${backend.port}` };
  assert.equal((await call(proxy.port("in"), { headers })).status, 200);
  assert.equal(proxy.runtime.clusterStats()[0]?.hosts[0]?.address, `127.0.0.1:${backend.port}`);
  while (proxy.stat("cluster.meant.membership_total") > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal((await call(proxy.port("in"), { headers })).status, 200);
});

test("what an ORIGINAL_DST cluster cannot have is refused by name", async () => {
  await using proxy = new TestProxy();
  const reasonFor = async (init: ClusterInit): Promise<string> =>
    (await proxy.apply({ clusters: [passingOn(init)] }))[0]?.reason ?? "";
  assert.match(await reasonFor({ lbPolicy: Cluster_LbPolicy.ROUND_ROBIN }), /lb_policy/);
  assert.match(await reasonFor(withHeader({ metadataKey: { key: "a" } })), /original_dst_lb_config\.metadata_key/);
});
