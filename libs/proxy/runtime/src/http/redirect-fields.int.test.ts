import assert from "node:assert/strict";
import { test } from "node:test";
import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  RedirectAction_RedirectResponseCode as Code,
  type RedirectActionSchema,
} from "@fairlead/envoy-api/envoy/config/route/v3/route_components_pb.js";
import { call } from "../testing/client.ts";
import { TestProxy } from "../testing/proxy.ts";
import { listener, routes } from "../testing/resources.ts";

type RedirectInit = MessageInitShape<typeof RedirectActionSchema>;

/** Of `http://shop:8080/old/a?b=c`. */
const cases: readonly (readonly [RedirectInit, status: number, location: string])[] = [
  [{}, 301, "http://shop:8080/old/a?b=c"],
  [{ responseCode: Code.MOVED_PERMANENTLY }, 301, "http://shop:8080/old/a?b=c"],
  [{ responseCode: Code.FOUND }, 302, "http://shop:8080/old/a?b=c"],
  [{ responseCode: Code.SEE_OTHER }, 303, "http://shop:8080/old/a?b=c"],
  [{ responseCode: Code.TEMPORARY_REDIRECT }, 307, "http://shop:8080/old/a?b=c"],
  [{ responseCode: Code.PERMANENT_REDIRECT }, 308, "http://shop:8080/old/a?b=c"],
  [{ hostRedirect: "new.example" }, 301, "http://new.example/old/a?b=c"],
  [{ portRedirect: 9090 }, 301, "http://shop:9090/old/a?b=c"],
  [{ hostRedirect: "new.example", portRedirect: 9090 }, 301, "http://new.example:9090/old/a?b=c"],
  [{ schemeRewriteSpecifier: { case: "httpsRedirect", value: true } }, 301, "https://shop:8080/old/a?b=c"],
  [{ schemeRewriteSpecifier: { case: "httpsRedirect", value: false } }, 301, "http://shop:8080/old/a?b=c"],
  [{ schemeRewriteSpecifier: { case: "schemeRedirect", value: "https" } }, 301, "https://shop:8080/old/a?b=c"],
  [{ stripQuery: true }, 301, "http://shop:8080/old/a"],
  [{ pathRewriteSpecifier: { case: "pathRedirect", value: "/new" } }, 301, "http://shop:8080/new?b=c"],
  [{ pathRewriteSpecifier: { case: "pathRedirect", value: "/new?own=1" } }, 301, "http://shop:8080/new?own=1"],
  [{ pathRewriteSpecifier: { case: "pathRedirect", value: "/new" }, stripQuery: true }, 301, "http://shop:8080/new"],
  [{ pathRewriteSpecifier: { case: "prefixRewrite", value: "/new" } }, 301, "http://shop:8080/new/a?b=c"],
  [
    {
      pathRewriteSpecifier: {
        case: "regexRewrite",
        value: { pattern: { regex: "^/old/(.*)$" }, substitution: "/new/\\1/x" },
      },
    },
    301,
    "http://shop:8080/new/a/x?b=c",
  ],
];

test("each field of a redirect changes its part of the location", async () => {
  await using proxy = await TestProxy.start({ listeners: [listener("in", 0)], routes: [routes("in")] });
  for (const [i, [redirect, status, location]] of cases.entries()) {
    const action = { case: "redirect" as const, value: redirect };
    const match = { pathSpecifier: { case: "prefix" as const, value: "/old" } };
    const host = { name: "all", domains: ["*"], routes: [{ match, action }] };
    assert.deepEqual(await proxy.apply({ routes: [routes("in", host)] }), []);
    const answer = await call(proxy.port("in"), { path: "/old/a?b=c", headers: { host: "shop:8080" } });
    assert.deepEqual([answer.status, answer.headers.location, answer.body], [status, location, ""]);
    assert.equal(proxy.stat("http.in.rq_redirect"), i + 1);
  }
});
