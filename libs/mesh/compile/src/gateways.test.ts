import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { JsonValue } from "@bufbuild/protobuf";
import type { CompiledMesh } from "./index.ts";
import { jsonOf } from "./testing/json-of.ts";
import { meshOf, policy, viewOf, type VirtualHostJson, virtualHosts } from "./testing/mesh-under-test.ts";

type Json = Record<string, JsonValue>;

const edge = { id: "edge", labels: { istio: "ingressgateway" } };
const gateway = (servers: string, name = "g", namespace?: string) =>
  policy("Gateway", name, `{selector: {istio: ingressgateway}, servers: [${servers}]}`, namespace);
const plain = (hosts: string, more = "") =>
  `{port: {number: 80, name: http, protocol: HTTP}, hosts: [${hosts}]${more}}`;
const service = (name: string, hosts: string, http: string, namespace?: string) =>
  policy("VirtualService", name, `{hosts: [${hosts}], gateways: [g], http: [${http}]}`, namespace);
const toA = "route: [{destination: {host: shop.A}}]";
const toB = "route: [{destination: {host: shop.B}}]";

const meshAt = (policies: string, node: Partial<typeof edge> & { address?: string } = {}) =>
  meshOf({ nodes: [{ ...edge, ...node }], policies });

function listener(mesh: CompiledMesh, port: string): Json {
  return jsonOf(mesh, `lds/edge/gateway|${port}`) as Json;
}

function hostsAt(mesh: CompiledMesh, name: string): readonly VirtualHostJson[] {
  const key = [...viewOf(mesh, "edge")].find((one) => one.startsWith("rds/gateway-") && one.endsWith(`/${name}`));
  return virtualHosts(mesh, key ?? assert.fail(`no routes ${name}`));
}

test("a node with the gateway's labels listens, and holds the routes, clusters and endpoints that it needs; others hold nothing of it", () => {
  const policies = gateway(plain('"*"')) + service("vs", '"*"', `{match: [{uri: {exact: /a}}], ${toA}}`);
  const mesh = meshOf({ nodes: [edge, { id: "app", outboundPort: 15001 }], policies });
  assert.deepEqual(mesh.rejected, []);
  assert.partialDeepStrictEqual(listener(mesh, "80"), {
    address: { socketAddress: { address: "0.0.0.0", portValue: 80 } },
    filterChains: [{ filters: [{ typedConfig: { rds: { routeConfigName: "http.80" }, normalizePath: true } }] }],
  });
  assert.partialDeepStrictEqual(hostsAt(mesh, "http.80"), [
    { domains: ["*"], routes: [{ match: { path: "/a" }, route: { cluster: "outbound|http||shop.A" } }] },
  ]);
  const view = [...viewOf(mesh, "edge")];
  assert.deepEqual(view.filter((key) => /^[ce]ds/.test(key)).toSorted(), [
    "cds/outbound|http||shop.A",
    "eds/outbound|http||shop.A",
  ]);
  assert.equal(
    [...viewOf(mesh, "app")].some((key) => key.includes("gateway")),
    false,
  );
});

test("one that is reached over loopback listens there; bind says otherwise", () => {
  const server = plain('"*"');
  const address = (mesh: CompiledMesh, port: string) =>
    (listener(mesh, port) as { address: { socketAddress: { address: string } } }).address.socketAddress.address;
  assert.equal(address(meshAt(gateway(server), { address: "127.0.0.1" }), "80"), "127.0.0.1");
  assert.equal(address(meshAt(gateway(plain('"*"', ", bind: 10.1.1.1"))), "80|10.1.1.1"), "10.1.1.1");
});

test("domains are what a server and a VirtualService have in common; those of two VirtualServices are merged, what takes all calls last", () => {
  const mesh = meshAt(
    gateway(plain('"*.a.com", other/b.com')) +
      service("one", "x.a.com, b.com, c.com", `{name: all, ${toA}}`) +
      service("two", "x.a.com", `{name: some, match: [{uri: {prefix: /x}}], ${toB}}`) +
      service("wide", '"*"', `{name: wide, ${toB}}`),
  );
  assert.deepEqual(mesh.rejected, []);
  assert.deepEqual(
    hostsAt(mesh, "http.80").map(({ domains, routes }) => [domains[0], routes!.map(({ name }) => name)]),
    [
      ["*.a.com", ["wide"]],
      ["x.a.com", ["some", "all"]],
    ],
  );
});

test("the port, the gateways and the source of a match decide whether it is for the gateway", () => {
  const match = (name: string, text: string) => `{name: ${name}, match: [${text}], ${toA}}`;
  const mesh = meshAt(
    gateway(plain('"*"')) +
      policy(
        "VirtualService",
        "vs",
        `{hosts: [a.com], gateways: [mesh, g], http: [${match("here", "{port: 80}")}, ${match("port", "{port: 81}")}, ${match("mesh", "{gateways: [mesh]}")}, ${match("other", "{gateways: [x/y]}")}, ${match("g", "{gateways: [g], uri: {exact: /g}}")}, ${match("source", "{sourceLabels: {a: b}}")}]}`,
      ),
  );
  const [host] = hostsAt(mesh, "http.80");
  assert.deepEqual(
    host!.routes!.map(({ name }) => name),
    ["g", "here"],
  );
  assert.equal(JSON.stringify(host).includes(":authority"), false);
});

test("a VirtualService that is exported to other namespaces only is not for the gateway", () => {
  const routed = (exportTo: string) => {
    const spec = `{hosts: [a.com], gateways: [g], exportTo: ["${exportTo}"], http: [{${toA}}]}`;
    return hostsAt(meshAt(gateway(plain('"*"')) + policy("VirtualService", "vs", spec)), "http.80").length;
  };
  assert.deepEqual(["*", ".", "default", "team"].map(routed), [1, 1, 1, 0]);
});

test("httpsRedirect", () => {
  const mesh = meshAt(gateway(plain("a.com", ", tls: {httpsRedirect: true}")) + service("vs", "a.com", `{${toA}}`));
  assert.partialDeepStrictEqual(hostsAt(mesh, "http.80"), [
    { domains: ["a.com"], routes: [{ match: { prefix: "/" }, redirect: { httpsRedirect: true } }] },
  ]);
});

const secure = (name: string, host: string, tls: string, protocol = "HTTPS") =>
  `{port: {number: 443, name: ${name}, protocol: ${protocol}}, hosts: [${host}], tls: {${tls}}}`;
const files = "serverCertificate: /c.pem, privateKey: /k.pem";

describe("TLS", () => {
  test("SIMPLE and MUTUAL: a chain for the server name with its own routes", () => {
    const mesh = meshAt(
      gateway(
        `${secure("one", "a.com", `mode: SIMPLE, ${files}, minProtocolVersion: TLSV1_3, cipherSuites: [X]`)}, ${secure("two", "b.com", `mode: MUTUAL, ${files}, caCertificates: /ca.pem, subjectAltNames: [n]`)}`,
      ) + service("vs", "a.com, b.com", `{redirect: {derivePort: FROM_PROTOCOL_DEFAULT}}`),
    );
    assert.deepEqual(mesh.rejected, []);
    assert.partialDeepStrictEqual(listener(mesh, "443"), {
      listenerFilters: [{ name: "envoy.filters.listener.tls_inspector" }],
      filterChains: [
        {
          filterChainMatch: { serverNames: ["a.com"] },
          filters: [{ typedConfig: { rds: { routeConfigName: "https.443.one.g.default" } } }],
          transportSocket: {
            name: "envoy.transport_sockets.tls",
            typedConfig: {
              commonTlsContext: {
                tlsParams: { tlsMinimumProtocolVersion: "TLSv1_3", cipherSuites: ["X"] },
                tlsCertificates: [{ certificateChain: { filename: "/c.pem" }, privateKey: { filename: "/k.pem" } }],
                alpnProtocols: ["h2", "http/1.1"],
              },
              requireClientCertificate: false,
            },
          },
        },
        {
          filterChainMatch: { serverNames: ["b.com"] },
          transportSocket: {
            typedConfig: {
              commonTlsContext: {
                validationContext: {
                  trustedCa: { filename: "/ca.pem" },
                  matchTypedSubjectAltNames: [{ matcher: { exact: "n" } }],
                },
              },
              requireClientCertificate: true,
            },
          },
        },
      ],
    });
    assert.partialDeepStrictEqual(hostsAt(mesh, "https.443.two.g.default"), [
      { domains: ["b.com"], routes: [{ redirect: { portRedirect: 443 } }] },
    ]);
  });

  test("PASSTHROUGH: by server name, as it is", () => {
    const mesh = meshAt(
      gateway(secure("t", '"*.a.com"', "mode: PASSTHROUGH", "TLS")) +
        policy(
          "VirtualService",
          "vs",
          "{hosts: ['*.a.com'], gateways: [g], tls: [{match: [{port: 443, sniHosts: [x.a.com, else.com]}], route: [{destination: {host: shop.A}, weight: 3}, {destination: {host: shop.B}, weight: 1}]}]}",
        ),
    );
    assert.deepEqual(mesh.rejected, []);
    const [chain] = (listener(mesh, "443") as { filterChains: Json[] }).filterChains;
    assert.partialDeepStrictEqual(chain!, {
      filterChainMatch: { serverNames: ["x.a.com"] },
      filters: [
        {
          name: "envoy.filters.network.tcp_proxy",
          typedConfig: {
            weightedClusters: {
              clusters: [
                { name: "outbound|http||shop.A", weight: 3 },
                { name: "outbound|http||shop.B", weight: 1 },
              ],
            },
          },
        },
      ],
    });
    assert.equal(chain!["transportSocket"], undefined);
    assert.ok(viewOf(mesh, "edge").has("eds/outbound|http||shop.B"));
  });

  test("a credential, of which nobody hands the secret out, is refused with its line", () => {
    const mesh = meshAt(gateway(secure("one", "a.com", "mode: SIMPLE, credentialName: c")));
    assert.deepEqual(
      mesh.rejected.map(({ code, provenance }) => [code, provenance.line]),
      [["FL_POLICY_UNSUPPORTED", 2]],
    );
    assert.equal(
      [...viewOf(mesh, "edge")].some((key) => key.startsWith("lds")),
      false,
    );
  });
});

test("TCP: by port and destination subnet, with the pool's idle time", () => {
  const mesh = meshAt(
    gateway("{port: {number: 31400, name: tcp, protocol: TCP}, hosts: ['*']}") +
      policy(
        "DestinationRule",
        "dr",
        "{host: shop.A, trafficPolicy: {connectionPool: {tcp: {idleTimeout: 30s}}}, subsets: [{name: v1}]}",
      ) +
      policy(
        "VirtualService",
        "vs",
        "{hosts: ['*'], gateways: [g], tcp: [{match: [{port: 31400, destinationSubnets: [10.0.0.0/8]}], route: [{destination: {host: shop.B}}]}, {match: [{port: 31400}], route: [{destination: {host: shop.A, port: {number: 9000}, subset: v1}}]}]}",
      ),
  );
  assert.deepEqual(mesh.rejected, []);
  assert.partialDeepStrictEqual(listener(mesh, "31400"), {
    filterChains: [
      {
        filterChainMatch: { prefixRanges: [{ addressPrefix: "10.0.0.0", prefixLen: 8 }] },
        filters: [{ typedConfig: { cluster: "outbound|http||shop.B" } }],
      },
      { filters: [{ typedConfig: { cluster: "outbound|http|v1|shop.A", idleTimeout: "30s" } }] },
    ],
  });
});

test("a port that two Gateways want for different protocols is the first one's, and the other is named", () => {
  const mesh = meshAt(
    gateway("{port: {number: 80, name: tcp, protocol: TCP}, hosts: ['*']}", "z") + gateway(plain("a.com"), "a"),
  );
  assert.deepEqual(
    mesh.rejected.map(({ code, provenance }) => [code, provenance.key]),
    [["FL_POLICY_CONFLICT", "Gateway/default/z"]],
  );
  assert.ok(viewOf(mesh, "edge").has("lds/edge/gateway|80"));
});
