import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { JsonValue } from "@bufbuild/protobuf";
import { jsonOf } from "./testing/json-of.ts";
import { meshOf, policy, routesTo, viewOf } from "./testing/mesh-under-test.ts";

type Json = Record<string, JsonValue>;

const entry = (spec: string, name = "se", namespace = "default") => policy("ServiceEntry", name, spec, namespace);
const http80 = "ports: [{number: 80, name: http, protocol: HTTP}]";
const addressesOf = (json: Json) =>
  [...JSON.stringify(json).matchAll(/"address":"([^"]+)","portValue":(\d+)/g)].map(
    ([, address, port]) => `${address},${port}`,
  );

describe("a ServiceEntry", () => {
  test("DNS: all addresses of the host, or of its endpoints; called by the host, on the usual port", () => {
    const mesh = meshOf({ policies: entry(`{hosts: [Example.com], ${http80}, resolution: DNS}`) });
    assert.partialDeepStrictEqual(jsonOf(mesh, "cds/outbound|80||Example.com"), {
      type: "STRICT_DNS",
      respectDnsTtl: true,
    });
    assert.deepEqual(addressesOf(jsonOf(mesh, "cds/outbound|80||Example.com") as Json), ["Example.com,80"]);
    assert.partialDeepStrictEqual(routesTo(mesh, "example.com")![0]!, {
      route: { cluster: "outbound|80||Example.com" },
    });
    assert.deepEqual(
      mesh.resources.get("rds/everything/outbound")!.provenance.find(({ kind }) => kind === "policy"),
      {
        kind: "policy",
        key: "ServiceEntry/default/se",
        file: "p.yaml",
        line: 2,
      },
    );
  });

  test("DNS_ROUND_ROBIN and NONE: one of the host's addresses", () => {
    for (const resolution of ["DNS_ROUND_ROBIN", "NONE"]) {
      const mesh = meshOf({ policies: entry(`{hosts: [a.com], ${http80}, resolution: ${resolution}}`) });
      assert.equal((jsonOf(mesh, "cds/outbound|80||a.com") as Json)["type"], "LOGICAL_DNS");
    }
  });

  test("STATIC: its endpoints by EDS, with ports, weights, localities and subsets by label", () => {
    const mesh = meshOf({
      policies:
        entry(
          `{hosts: [a.com], ports: [{number: 80, name: http, protocol: HTTP, targetPort: 8080}], resolution: STATIC, endpoints: [{address: 10.0.0.2, ports: {http: 9000}, labels: {v: a}, weight: 3, locality: r/z}, {address: 10.0.0.1, labels: {v: b}}]}`,
        ) + policy("DestinationRule", "dr", "{host: a.com, subsets: [{name: b, labels: {v: b}}]}"),
    });
    const json = jsonOf(mesh, "eds/outbound|80||a.com") as Json;
    assert.deepEqual(addressesOf(json), ["10.0.0.1,8080", "10.0.0.2,9000"]);
    assert.partialDeepStrictEqual(json, {
      endpoints: [
        { locality: {} },
        { locality: { region: "r", zone: "z" }, lbEndpoints: [{ loadBalancingWeight: 3 }] },
      ],
    });
    assert.deepEqual(addressesOf(jsonOf(mesh, "eds/outbound|80|b|a.com") as Json), ["10.0.0.1,8080"]);
  });

  test("workloadSelector: the nodes that have its labels", () => {
    const mesh = meshOf({
      nodes: [
        { id: "a", address: "10.0.0.1", labels: { app: "x" } },
        { id: "b", address: "10.0.0.2", labels: { app: "x", v: "2" } },
        { id: "c", address: "10.0.0.3", labels: {} },
      ],
      policies: entry(`{hosts: [a.com], ${http80}, resolution: STATIC, workloadSelector: {labels: {app: x}}}`),
    });
    assert.deepEqual(addressesOf(jsonOf(mesh, "eds/outbound|80||a.com") as Json), ["10.0.0.1,80", "10.0.0.2,80"]);
  });

  test("several ports: by the port in the Host; of HTTPS and TCP there are clusters, for gateways and for TLS that a rule makes", () => {
    const mesh = meshOf({
      policies: entry(
        "{hosts: [a.com], ports: [{number: 8080, name: b, protocol: HTTP}, {number: 80, name: a, protocol: HTTP}, {number: 443, name: c, protocol: HTTPS}], resolution: DNS}",
      ),
    });
    assert.partialDeepStrictEqual(routesTo(mesh, "a.com")!, [
      { name: "port-8080", route: { cluster: "outbound|8080||a.com" } },
      { name: "default", route: { cluster: "outbound|80||a.com" } },
    ]);
    assert.equal((jsonOf(mesh, "cds/outbound|443||a.com") as Json)["type"], "STRICT_DNS");
  });

  test("TLS towards it on one port, with its host as server name and its subjectAltNames; a route to that port", () => {
    const mesh = meshOf({
      policies:
        entry(
          "{hosts: [a.com], ports: [{number: 80, name: a, protocol: HTTP, targetPort: 443}, {number: 443, name: b, protocol: HTTPS}], resolution: DNS, subjectAltNames: [b.com]}",
        ) +
        policy(
          "DestinationRule",
          "dr",
          "{host: a.com, trafficPolicy: {connectionPool: {tcp: {maxConnections: 1}}, portLevelSettings: [{port: {number: 80}, tls: {mode: SIMPLE}}]}}",
        ) +
        policy(
          "VirtualService",
          "vs",
          "{hosts: [a.com], http: [{timeout: 3s, route: [{destination: {host: a.com, port: {number: 443}}}]}]}",
        ),
    });
    assert.deepEqual(mesh.rejected, []);
    const tls = jsonOf(mesh, "cds/outbound|80||a.com") as Json;
    assert.deepEqual(addressesOf(tls), ["a.com,443"]);
    assert.partialDeepStrictEqual(tls, {
      transportSocket: {
        typedConfig: {
          sni: "a.com",
          commonTlsContext: { validationContext: { matchTypedSubjectAltNames: [{ matcher: { exact: "b.com" } }] } },
        },
      },
    });
    // A port's settings replace the whole policy.
    assert.equal(JSON.stringify(tls).includes("maxConnections"), false);
    assert.partialDeepStrictEqual(jsonOf(mesh, "cds/outbound|443||a.com"), {
      circuitBreakers: { thresholds: [{ maxConnections: 1 }] },
    });
    assert.partialDeepStrictEqual(routesTo(mesh, "a.com")!, [
      { route: { cluster: "outbound|443||a.com", timeout: "3s" } },
    ]);
  });

  test("exportTo: only sidecars of those namespaces call it by name", () => {
    const nodes = [
      { id: "a", outboundPort: 1, labels: { namespace: "team" } },
      { id: "b", outboundPort: 1, labels: {} as Record<string, string> },
    ];
    const mesh = meshOf({
      nodes,
      policies: entry(`{hosts: [a.com], ${http80}, resolution: DNS, exportTo: ["."]}`, "se", "team"),
    });
    assert.deepEqual(
      nodes.map(({ id }) => [
        routesTo(mesh, "a.com", id) !== undefined,
        viewOf(mesh, id).has("cds/outbound|80||a.com"),
      ]),
      [
        [true, true],
        [false, false],
      ],
    );
  });

  test("a port that two of them have is the first one's, and the other is named", () => {
    const mesh = meshOf({
      policies:
        entry(`{hosts: [a.com], ${http80}, resolution: DNS}`, "b") +
        entry("{hosts: [A.com], ports: [{number: 80, name: x, protocol: HTTP2}], resolution: DNS}", "a"),
    });
    assert.equal(mesh.resources.has("cds/outbound|80||A.com"), true);
    assert.deepEqual(
      mesh.rejected.map(({ code, provenance }) => [code, provenance.key]),
      [["FL_POLICY_CONFLICT", "ServiceEntry/default/b"]],
    );
  });

  test("a wildcard with endpoints; a subscriber of a name below it sees it", () => {
    const mesh = meshOf({
      nodes: [{ id: "a", outboundPort: 1 }],
      subscriptions: [{ nodeId: "a", interface: "x.a.com" }],
      policies: entry(`{hosts: ["*.a.com"], ${http80}, resolution: STATIC, endpoints: [{address: 10.0.0.9}]}`),
    });
    assert.partialDeepStrictEqual(routesTo(mesh, "*.a.com", "a")!, [{ route: { cluster: "outbound|80||*.a.com" } }]);
  });
});
