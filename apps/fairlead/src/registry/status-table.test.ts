import assert from "node:assert/strict";
import { test } from "node:test";
import { plainStyle } from "../terminal/style.ts";
import { type MeshStatus, needsAttention } from "./mesh-status.ts";
import { statusSummary } from "./status-summary.ts";
import { statusTable } from "./status-table.ts";

const now = 1_000_000;
const status: MeshStatus = {
  gateways: [
    { id: "g1", revision: 10, connected: 2, lastHeardMs: 300 },
    { id: "g2", revision: 9, connected: 0, lastHeardMs: 300, error: "it cannot be reached" },
  ],
  compiler: {
    revision: 11,
    active: true,
    activeForMs: 65_000,
    compiled: { compiler: "host-1", revision: 10, atMs: now - 2000 },
    rejected: [
      {
        kind: "policy",
        key: "VirtualService/default/other",
        file: "other.yaml",
        line: 4,
        code: "FL_X",
        message: "no subset v9",
      },
    ],
  },
  nacks: [
    {
      node: "sidecar~b",
      gateway: "g1",
      type: "rds",
      resources: ["outbound"],
      reason: "no such cluster",
      nonce: "1",
      version: "b",
      sinceMs: now - 65_000,
      firstRevision: 9,
      lastRevision: 9,
      objects: [
        { kind: "service", key: "http/shop.Reviews", file: "", line: 0 },
        { kind: "policy", key: "VirtualService/default/reviews", file: "reviews.yaml", line: 7 },
      ],
    },
  ],
  proxies: [
    {
      node: "sidecar~b",
      app: "orders",
      gateway: "g1",
      types: [
        {
          type: "type.googleapis.com/envoy.config.route.v3.RouteConfiguration",
          sentVersion: "bbbbbbbbbbbbbbbb",
          ackedVersion: "aaaaaaaaaaaaaaaa",
          state: "NACKED",
          detail: "route 1:\nno such cluster",
          sinceMs: now - 65_000,
          revision: 9,
        },
      ],
    },
    {
      node: "sidecar~a",
      app: "catalog",
      gateway: "g1",
      types: [
        {
          type: "cds",
          sentVersion: "1",
          ackedVersion: "1",
          state: "ACKED",
          detail: "",
          sinceMs: now - 500,
          revision: 8,
        },
        { type: "eds", sentVersion: "2", ackedVersion: "", state: "SENT", detail: "", sinceMs: now, revision: 10 },
        {
          type: "sds",
          sentVersion: "",
          ackedVersion: "",
          state: "NOT_SUBSCRIBED",
          detail: "",
          sinceMs: 0,
          revision: 0,
        },
      ],
    },
  ],
};

const fine: MeshStatus = {
  gateways: [{ id: "g1" }],
  compiler: { revision: 1, active: true, rejected: [] },
  nacks: [],
  proxies: status.proxies.slice(1),
};

test("a row for each proxy and type, with the proxy's reason", () => {
  assert.equal(
    statusTable(status, plainStyle, now),
    [
      "PROXY      APP      GATEWAY  TYPE  VERSION                      STATE   FOR     REASON",
      "sidecar~a  catalog  g1       CDS   1                            ACKED   500 ms",
      "                             EDS   - → 2                        SENT    0 ms",
      "sidecar~b  orders   g1       RDS   aaaaaaaaaaaa → bbbbbbbbbbbb  NACKED  1m 5s   route 1: no such cluster",
    ].join("\n"),
  );
});

test("a proxy that says neither yes nor no is told from one that is only being sent to", () => {
  const later = now + 60_000;
  const table = statusTable(fine, plainStyle, later);
  assert.match(table, /EDS +- → 2 +NO ANSWER +1m 0s +not answering since \d\d:\d\d:\d\d$/m);
  assert.match(statusSummary(fine, plainStyle, later), /0 current; 0 pending; 1 not answering; 0 refused/);
  assert.deepEqual([needsAttention(fine, now), needsAttention(fine, later)], [false, true]);
});

test("the summary: proxies by their worst type, the compiler, gateways, refusals and rejections with their places", () => {
  assert.equal(
    statusSummary(status, plainStyle, now),
    `2 proxies on 2 gateways, revision 10; 0 current; 1 pending; 1 refused configuration
config-compiler: active for 1m 5s; revision 10 by host-1, 2.0 s ago; 11 is stored
ads-gateway g1: revision 10, 2 proxies, heard 300 ms ago
ads-gateway g2: revision 9, 0 proxies, heard 300 ms ago; its proxies are not known: it cannot be reached

refused by proxies, which keep what they had:
  sidecar~b RDS for 1m 5s: NACKed: no such cluster (outbound; from reviews.yaml:7 VirtualService/default/reviews)

rejected by the compiler; what each said when it last could be compiled stays, where that still can be:
  other.yaml:4 VirtualService/default/other: FL_X: no subset v9`,
  );
});

test("proxies that are registered and not there, and what was rejected before, are told as such", () => {
  const unconnected = [
    { node: "sidecar~c", renewedAgoMs: 12_000, closedMs: now - 3000 },
    { node: "sidecar~d", renewedAgoMs: 500 },
  ];
  const compiler = { ...status.compiler, rejectedRevision: 9 };
  const summary = statusSummary({ ...status, unconnected, compiler }, plainStyle, now);
  assert.match(
    summary,
    /connected to no gateway:\n {2}sidecar~c, its connection ended 3\.0 s ago, last renewal of its lease 12\.0 s ago\n {2}sidecar~d, last renewal of its lease 500 ms ago$/m,
  );
  assert.match(summary, /^rejected by the compiler \(as of revision 9\); what each said/m);
});

test("of a conflict it is not said that nothing of the object is in force", () => {
  const at = { kind: "policy", key: "VirtualService/default/b", file: "b.yaml", line: 1 };
  const rejected = [
    { ...at, code: "FL_POLICY_CONFLICT", message: "port 80 is taken" },
    { ...at, code: "FL_POLICY_UNSUPPORTED", message: "no retries" },
  ];
  const summary = statusSummary({ ...fine, compiler: { ...status.compiler, rejected } }, plainStyle, now);
  assert.match(
    summary,
    /compiler; the first by namespace and name counts; the rest of each named is in force:\n {2}b\.yaml:1 .*: FL_POLICY_CONFLICT: .*\nrejected by the compiler; what each said .* stays.*:\n.*FL_POLICY_UNSUPPORTED/,
  );
});

test("what is not known is said", () => {
  const summary = (compiler: MeshStatus["compiler"]) => statusSummary({ ...fine, compiler }, plainStyle, now);
  assert.match(summary({ error: "PostgreSQL is away" }), /^config-compiler: not known: PostgreSQL is away$/m);
  const idle = summary({ revision: 3, active: false });
  assert.match(idle, /^config-compiler: none is active, nothing is compiled; no commit is known$/m);
  assert.match(idle, /^ {2}what it rejects is not known/m);
});

test("exit code 1 for each thing that somebody has to look at, not for what is on its way", () => {
  assert.equal(needsAttention(fine, now), false);
  const { nacks, compiler, proxies } = status;
  for (const wrong of [
    { nacks },
    { compiler },
    { compiler: { error: "away" } },
    { compiler: { revision: 1, active: false, rejected: [] } },
    { gateways: [{ id: "g1", error: "it cannot be reached" }] },
    { proxies },
    { unconnected: [{ node: "sidecar~c", renewedAgoMs: 1 }] },
  ]) {
    assert.equal(needsAttention({ ...fine, ...wrong }, now), true, JSON.stringify(wrong));
  }
});
