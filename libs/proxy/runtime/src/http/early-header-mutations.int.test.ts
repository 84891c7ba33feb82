import assert from "node:assert/strict";
import { test } from "node:test";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { HeaderMutationSchema } from "@fairlead/envoy-api/envoy/extensions/http/early_header_mutation/header_mutation/v3/header_mutation_pb.js";
import { Backend } from "../testing/backend.ts";
import { call } from "../testing/client.ts";
import { TestProxy } from "../testing/proxy.ts";
import { listener, routes, staticCluster, toCluster, type VirtualHostInit } from "../testing/resources.ts";
import type { XdsResource } from "../xds-resource.ts";

type MutationInit = Extract<MessageInitShape<typeof HeaderMutationSchema>, { readonly $typeName?: undefined }>;

const add = (key: string, value: string) => ({
  action: { case: "append" as const, value: { header: { key, value } } },
});

function mutating(...lists: readonly MutationInit[]): XdsResource {
  const earlyHeaderMutationExtensions = lists.map((init) => ({
    name: "early",
    typedConfig: anyPack(HeaderMutationSchema, create(HeaderMutationSchema, init)),
  }));
  return listener("in", 0, { earlyHeaderMutationExtensions, normalizePath: true });
}

const exact = (value: string) => ({ matchPattern: { case: "exact" as const, value } });

/** Only requests with `x-team: red` have a route. */
const red: VirtualHostInit = {
  name: "red",
  domains: ["*"],
  routes: [
    {
      match: {
        pathSpecifier: { case: "prefix", value: "/" },
        headers: [{ name: "x-team", headerMatchSpecifier: { case: "stringMatch", value: exact("red") } }],
      },
      action: { case: "route", value: { clusterSpecifier: { case: "cluster", value: "a" } } },
    },
  ],
};

test("early header mutations are done in their order, before the route is looked for", async () => {
  await using backend = await Backend.start((request, response) => {
    request.resume();
    response.end(JSON.stringify([request.headers["x-team"], request.headers["x-of"], request.headers["x-secret"]]));
  });
  const remove = (value: string) => ({ action: { case: "remove" as const, value } });
  await using proxy = await TestProxy.start({
    clusters: [staticCluster("a", [backend.port])],
    listeners: [
      mutating(
        { mutations: [remove("x-team"), add("x-team", "red")] },
        { mutations: [add("x-of", "%REQ(x-app)%"), remove("x-secret")] },
      ),
    ],
    routes: [routes("in", red)],
  });
  const headers = { "x-team": "blue", "x-app": "shop", "x-secret": "1" };
  const { status, body } = await call(proxy.port("in"), { headers });
  assert.deepEqual([status, body], [200, '["red","shop",null]']);
});

test("an early header mutation sees the path in the spelling by which it is routed and served", async () => {
  await using backend = await Backend.start((request, response) => {
    request.resume();
    response.end(`${request.url} ${String(request.headers["x-path"])}`);
  });
  await using proxy = await TestProxy.start({
    clusters: [staticCluster("a", [backend.port])],
    listeners: [mutating({ mutations: [add("x-path", "%REQ(:PATH)%")] })],
    routes: [routes("in", toCluster("*", "a"))],
  });
  const { body } = await call(proxy.port("in"), { path: "/public/../admin" });
  assert.equal(body, "/admin /admin");
});

test("an early header mutation that cannot be done is refused by name", async () => {
  await using proxy = new TestProxy();
  const reasonOf = async (init: MutationInit): Promise<string> =>
    (await proxy.apply({ listeners: [mutating(init)] }))[0]?.reason ?? "";
  const at = /early_header_mutation_extensions\[0\]\.typed_config\.mutations/;
  assert.match(await reasonOf({}), new RegExp(`${at.source}: is empty`));
  assert.match(await reasonOf({ mutations: [{}] }), new RegExp(`${at.source}\\[0\\]: has neither remove nor append`));
});
