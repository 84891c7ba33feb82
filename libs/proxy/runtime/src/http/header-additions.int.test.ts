import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import {
  HeaderValueOption_HeaderAppendAction as Append,
  HeaderValueOptionSchema,
} from "@fairlead/envoy-api/envoy/config/core/v3/base_pb.js";
import { RouterSchema } from "@fairlead/envoy-api/envoy/extensions/filters/http/router/v3/router_pb.js";
import { Backend } from "../testing/backend.ts";
import { call } from "../testing/client.ts";
import { askedIn, startEcho } from "../testing/echo.ts";
import { TestProxy } from "../testing/proxy.ts";
import { listener, routes, staticCluster, toCluster } from "../testing/resources.ts";

/** What becomes of a header that is there, and of one that is not. */
const actions: readonly (readonly [Append, there: string, absent: string | undefined])[] = [
  [Append.APPEND_IF_EXISTS_OR_ADD, "old, new", "new"],
  [Append.ADD_IF_ABSENT, "old", "new"],
  [Append.OVERWRITE_IF_EXISTS_OR_ADD, "new", "new"],
  [Append.OVERWRITE_IF_EXISTS, "new", undefined],
];

/** With `x-there`, and the headers of the request in the body. */
function answering(): Promise<Backend> {
  return Backend.start((request, response) => {
    request.resume();
    response.setHeader("x-there", "old").setHeader("x-gone", "1");
    response.end(JSON.stringify({ url: request.url, headers: request.headers, body: "" }));
  });
}

test("each append_action does its own to requests and responses", async () => {
  await using backend = await answering();
  const hosts = actions.map(([appendAction]) => {
    const add = ["x-there", "x-absent"].map((key) =>
      create(HeaderValueOptionSchema, { header: { key, value: "new" }, appendAction }),
    );
    return { ...toCluster(`host-${appendAction}`, "a"), requestHeadersToAdd: add, responseHeadersToAdd: add };
  });
  await using proxy = await TestProxy.start({
    clusters: [staticCluster("a", [backend.port])],
    listeners: [listener("in", 0)],
    routes: [routes("in", ...hosts)],
  });
  for (const [action, there, absent] of actions) {
    const headers = { host: `host-${action}`, "x-there": "old" };
    const answer = await call(proxy.port("in"), { headers });
    const asked = askedIn(answer.body).headers;
    assert.deepEqual([asked["x-there"], asked["x-absent"]], [there, absent], Append[action]);
    assert.deepEqual([answer.headers["x-there"], answer.headers["x-absent"]], [there, absent], Append[action]);
  }
});

test("an empty value is added only where it is to be kept; what is removed is removed before anything is added", async () => {
  await using backend = await answering();
  const add = [
    { header: { key: "x-empty", value: "" } },
    { header: { key: "x-unknown", value: "%REQ(x-none)%" } },
    { header: { key: "x-kept", value: "" }, keepEmptyValue: true },
    { header: { key: "x-kept-unknown", value: "%REQ(x-none)%" }, keepEmptyValue: true },
    { header: { key: "x-again", value: "added" }, appendAction: Append.ADD_IF_ABSENT },
  ].map((option) => create(HeaderValueOptionSchema, option));
  await using proxy = await TestProxy.start({
    clusters: [staticCluster("a", [backend.port])],
    listeners: [listener("in", 0)],
    routes: [
      routes("in", {
        ...toCluster("*", "a"),
        requestHeadersToAdd: add,
        requestHeadersToRemove: ["X-Again", "x-secret"],
        responseHeadersToAdd: add,
        responseHeadersToRemove: ["X-Gone"],
      }),
    ],
  });
  const { body, headers } = await call(proxy.port("in"), { headers: { "x-again": "sent", "x-secret": "1" } });
  for (const found of [askedIn(body).headers, headers]) {
    assert.deepEqual(
      ["x-empty", "x-unknown", "x-kept", "x-kept-unknown", "x-again", "x-secret", "x-gone"].map((name) => found[name]),
      [undefined, undefined, "", "", "added", undefined, undefined],
    );
  }
});

test("suppress_envoy_headers leaves out what tells about the proxy", async () => {
  await using backend = await startEcho();
  const seen = async (suppressEnvoyHeaders: boolean): Promise<string[]> => {
    const router = anyPack(RouterSchema, create(RouterSchema, { suppressEnvoyHeaders }));
    const httpFilters = [{ name: "router", configType: { case: "typedConfig" as const, value: router } }];
    await using proxy = await TestProxy.start({
      clusters: [staticCluster("a", [backend.port])],
      listeners: [listener("in", 0, { httpFilters })],
      routes: [routes("in", toCluster("*", "a"))],
    });
    const { body, headers } = await call(proxy.port("in"));
    return [...Object.keys(askedIn(body).headers), ...Object.keys(headers)].filter((name) =>
      name.startsWith("x-envoy-"),
    );
  };
  assert.deepEqual(await seen(false), ["x-envoy-expected-rq-timeout-ms", "x-envoy-upstream-service-time"]);
  assert.deepEqual(await seen(true), []);
});
