import assert from "node:assert/strict";
import { test } from "node:test";
import { create, type DescMessage, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { type Any, anyPack } from "@bufbuild/protobuf/wkt";
import { FilterConfigSchema } from "@fairlead/envoy-api/envoy/config/route/v3/route_components_pb.js";
import { RouteConfigurationSchema } from "@fairlead/envoy-api/envoy/config/route/v3/route_pb.js";
import { GzipSchema } from "@fairlead/envoy-api/envoy/extensions/compression/gzip/compressor/v3/gzip_pb.js";
import {
  CompressorPerRouteSchema,
  CompressorSchema,
} from "@fairlead/envoy-api/envoy/extensions/filters/http/compressor/v3/compressor_pb.js";
import { HTTPFaultSchema } from "@fairlead/envoy-api/envoy/extensions/filters/http/fault/v3/fault_pb.js";
import {
  HeaderMutationPerRouteSchema,
  HeaderMutationSchema,
} from "@fairlead/envoy-api/envoy/extensions/filters/http/header_mutation/v3/header_mutation_pb.js";
import { RouterSchema } from "@fairlead/envoy-api/envoy/extensions/filters/http/router/v3/router_pb.js";
import { Backend } from "../testing/backend.ts";
import { call } from "../testing/client.ts";
import { TestProxy } from "../testing/proxy.ts";
import { listener, staticCluster } from "../testing/resources.ts";
import type { XdsResource } from "../xds-resource.ts";

function pack<Desc extends DescMessage>(schema: Desc, init: MessageInitShape<Desc>): Any {
  return anyPack(schema, create(schema, init));
}

const httpFilters = (name: string, config: Any) =>
  [[name, config] as const, ["router", pack(RouterSchema, {})] as const].map(([filter, value]) => ({
    name: filter,
    configType: { case: "typedConfig" as const, value },
  }));

const levels = ["table", "host", "route", "cluster"] as const;
type Level = (typeof levels)[number];

/** What each level says of the filter. */
function table(name: string, saying: Partial<Record<Level, Any>>): XdsResource {
  const at = (level: Level): Record<string, Any> => {
    const config = saying[level];
    return config === undefined ? {} : { [name]: config };
  };
  const message = create(RouteConfigurationSchema, {
    name: "in",
    typedPerFilterConfig: at("table"),
    virtualHosts: [
      {
        name: "all",
        domains: ["*"],
        typedPerFilterConfig: at("host"),
        routes: [
          {
            match: { pathSpecifier: { case: "prefix", value: "/" } },
            typedPerFilterConfig: at("route"),
            action: {
              case: "route",
              value: {
                clusterSpecifier: {
                  case: "weightedClusters",
                  value: { clusters: [{ name: "a", weight: 1, typedPerFilterConfig: at("cluster") }] },
                },
              },
            },
          },
        ],
      },
    ],
  });
  return { name: "in", body: toBinary(RouteConfigurationSchema, message) };
}

async function serve(backend: Backend, filter: string, config: Any): Promise<TestProxy> {
  return await TestProxy.start({
    clusters: [staticCluster("a", [backend.port])],
    listeners: [listener("in", 0, { httpFilters: httpFilters(filter, config) })],
    routes: [table(filter, {})],
  });
}

test("of table, virtual host, route and weighted cluster the most specific that says something counts", async () => {
  await using backend = await Backend.named("a");
  await using proxy = await serve(backend, "fault", pack(HTTPFaultSchema, {}));
  const abort = (status: number): Any =>
    pack(HTTPFaultSchema, {
      abort: { errorType: { case: "httpStatus", value: status }, percentage: { numerator: 100 } },
    });
  const status = { table: 401, host: 402, route: 403, cluster: 404 } as const;
  const off = pack(FilterConfigSchema, { disabled: true });
  const ask = async (saying: Partial<Record<Level, Any>>): Promise<number> => {
    assert.deepEqual(await proxy.apply({ routes: [table("fault", saying)] }), []);
    return (await call(proxy.port("in"))).status;
  };
  // All sixteen combinations of levels that say something.
  for (let bits = 0; bits < 16; bits++) {
    const present = levels.filter((_level, i) => (bits & (1 << i)) !== 0);
    const expected = present.length === 0 ? 200 : status[present.at(-1)!];
    const saying = Object.fromEntries(present.map((level) => [level, abort(status[level])]));
    assert.equal(await ask(saying), expected, present.join(", "));
    // What is switched off where it counts is off; further out that makes no difference.
    const [outermost, ...inner] = present;
    if (outermost === undefined) continue;
    assert.equal(await ask({ ...saying, [present.at(-1)!]: off }), 200, `${present.join(", ")}: the last is off`);
    if (inner.length > 0) assert.equal(await ask({ ...saying, [outermost]: off }), expected);
  }
});

test("header mutations of all levels are done: those of the listener, then from the route outwards, or the other way round", async () => {
  await using backend = await Backend.start((request, response) => {
    request.resume();
    response
      .setHeader("x-secret", "1")
      .end([request.headers["x-by"], request.headers["x-client"]].map(String).join(";"));
  });
  const mutations = (by: string) => ({
    requestMutations: [
      { action: { case: "append" as const, value: { header: { key: "x-by", value: by } } } },
      { action: { case: "remove" as const, value: "x-client" } },
    ],
    responseMutations: [{ action: { case: "append" as const, value: { header: { key: "x-by", value: by } } } }],
  });
  const perRoute = (by: string): Any => pack(HeaderMutationPerRouteSchema, { mutations: mutations(by) });
  for (const mostSpecificHeaderMutationsWins of [false, true]) {
    const config = pack(HeaderMutationSchema, {
      mutations: { requestMutations: mutations("listener").requestMutations },
      mostSpecificHeaderMutationsWins,
    });
    await using proxy = await serve(backend, "mutate", config);
    const ask = async (saying: Partial<Record<Level, Any>>): Promise<string> => {
      await proxy.apply({ routes: [table("mutate", saying)] });
      const { body, headers } = await call(proxy.port("in"), { headers: { "x-client": "1" } });
      return [body, headers["x-by"], headers["x-secret"]].map(String).join(";");
    };
    assert.equal(await ask({}), "listener;undefined;undefined;1");
    assert.equal(await ask({ route: perRoute("route") }), "listener, route;undefined;route;1");
    const inner = ["cluster", "route", "host", "table"];
    const order = (mostSpecificHeaderMutationsWins ? inner.toReversed() : inner).join(", ");
    const all = Object.fromEntries(levels.map((level) => [level, perRoute(level)]));
    assert.equal(await ask(all), `listener, ${order};undefined;${order};1`);
  }
});

test("a route says whether the host sees what its client accepts, where the listener compresses", async () => {
  await using backend = await Backend.start((request, response) => {
    request.resume();
    response.setHeader("content-type", "text/plain").end(`${request.headers["accept-encoding"]} `.padEnd(1000, "x"));
  });
  const overrides = (removeAcceptEncodingHeader: boolean): Any =>
    pack(CompressorPerRouteSchema, {
      override: { case: "overrides", value: { responseDirectionConfig: { removeAcceptEncodingHeader } } },
    });
  const disabled = pack(CompressorPerRouteSchema, { override: { case: "disabled", value: true } });
  for (const removes of [true, false]) {
    const config = pack(CompressorSchema, {
      compressorLibrary: { name: "gzip", typedConfig: pack(GzipSchema, {}) },
      responseDirectionConfig: { removeAcceptEncodingHeader: removes },
    });
    await using proxy = await serve(backend, "compressor", config);
    const ask = async (saying: Partial<Record<Level, Any>>) => {
      await proxy.apply({ routes: [table("compressor", saying)] });
      const asked = backend.requests;
      const { headers } = await call(proxy.port("in"), { headers: { "accept-encoding": "gzip" } });
      assert.equal(backend.requests, asked + 1);
      return headers["content-encoding"];
    };
    for (const [saying, seen] of [
      [{}, !removes],
      [{ route: overrides(true) }, false],
      [{ route: overrides(false) }, true],
      [{ host: overrides(true), route: overrides(false) }, true],
    ] as const) {
      assert.equal(await ask(saying), "gzip");
      const plain = await call(proxy.port("in"), { headers: { "accept-encoding": "gzip;q=0, identity" } });
      assert.equal(plain.body.startsWith("undefined"), !seen, JSON.stringify({ removes, seen }));
    }
    assert.equal(await ask({ route: disabled }), undefined);
  }
});

test("a filter that this proxy does not have may be left out where it is optional; the router cannot be switched off", async () => {
  await using backend = await Backend.named("a");
  await using proxy = await serve(backend, "fault", pack(HTTPFaultSchema, {}));
  // No filter has such a configuration.
  const stranger = pack(RouterSchema, {});
  const reason = async (config: Any): Promise<string | undefined> =>
    (await proxy.apply({ routes: [table("fault", { route: config })] }))[0]?.reason;
  assert.match((await reason(stranger)) ?? "", /typed_per_filter_config\[fault\]: .*Router is not supported/);
  assert.match((await reason(pack(FilterConfigSchema, { config: stranger }))) ?? "", /Router is not supported/);
  assert.equal(await reason(pack(FilterConfigSchema, { config: stranger, isOptional: true })), undefined);
  assert.equal(await reason(pack(FilterConfigSchema, { config: stranger, disabled: true })), undefined);
  assert.equal((await call(proxy.port("in"))).status, 200);
  const [router] = httpFilters("fault", pack(HTTPFaultSchema, {})).slice(1);
  const [refusal] = await proxy.apply({
    listeners: [listener("in", 0, { httpFilters: [{ ...router, disabled: true }] })],
  });
  assert.match(refusal?.reason ?? "", /http_filters\[0\]\.disabled: the router cannot be switched off/);
});
