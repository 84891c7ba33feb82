import assert from "node:assert/strict";
import { test } from "node:test";
import { plainStyle } from "../terminal/style.ts";
import { needsAttention } from "../commands/status.ts";
import type { ProxyReport } from "./proxy-report.ts";
import { statusSummary, statusTable } from "./status-table.ts";

const now = 1_000_000;
const report: ProxyReport = {
  gateways: [{ id: "g1" }, { id: "g2", error: "connect ECONNREFUSED" }],
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

test("a row for each proxy and type, with the proxy's reason", () => {
  assert.equal(
    statusTable(report, plainStyle, now),
    [
      "PROXY      APP      GATEWAY  TYPE  VERSION                      STATE   FOR     REASON",
      "sidecar~a  catalog  g1       CDS   1                            ACKED   500 ms",
      "                             EDS   - → 2                        SENT    0 ms",
      "sidecar~b  orders   g1       RDS   aaaaaaaaaaaa → bbbbbbbbbbbb  NACKED  1m 5s   route 1: no such cluster",
    ].join("\n"),
  );
});

test("the summary counts proxies by their worst type, and names gateways that are silent", () => {
  assert.equal(
    statusSummary(report, plainStyle),
    "2 proxies on 2 gateways, revision 10; 0 current; 1 pending; 1 refused configuration\ngateway g2 does not answer: connect ECONNREFUSED",
  );
});

test("exit code 1 for a NACK and for a silent gateway, not for what is on its way", () => {
  assert.equal(needsAttention({ ...report, gateways: [] }), true);
  assert.equal(needsAttention({ ...report, gateways: [], proxies: report.proxies.slice(1) }), false);
  assert.equal(needsAttention({ ...report, proxies: [] }), true);
});
