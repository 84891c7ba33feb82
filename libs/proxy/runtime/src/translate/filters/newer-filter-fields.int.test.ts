import assert from "node:assert/strict";
import { test } from "node:test";
import { create, type DescMessage, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { type Any, anyPack, AnySchema } from "@bufbuild/protobuf/wkt";
import {
  BufferPerRouteSchema,
  BufferSchema,
} from "@fairlead/envoy-api/envoy/extensions/filters/http/buffer/v3/buffer_pb.js";
import { CompressorPerRouteSchema } from "@fairlead/envoy-api/envoy/extensions/filters/http/compressor/v3/compressor_pb.js";
import {
  HeaderMutationPerRouteSchema,
  HeaderMutationSchema,
  MutationsSchema,
} from "@fairlead/envoy-api/envoy/extensions/filters/http/header_mutation/v3/header_mutation_pb.js";
import { RouterSchema } from "@fairlead/envoy-api/envoy/extensions/filters/http/router/v3/router_pb.js";
import { TestProxy } from "../../testing/proxy.ts";
import { listener, routes, toCluster } from "../../testing/resources.ts";

/** Field 1000, of which nobody knows. */
const newer = [{ no: 1000, wireType: 0, data: Uint8Array.of(1) }];

function pack<Desc extends DescMessage>(schema: Desc, init: MessageInitShape<Desc>, its = newer): Any {
  const message = Object.assign(create(schema, init), { $unknown: its });
  return create(AnySchema, { typeUrl: `type.googleapis.com/${schema.typeName}`, value: toBinary(schema, message) });
}

const mutations = Object.assign(create(MutationsSchema), { $unknown: newer });

async function reasonFor(configs: { readonly filter?: Any; readonly route?: Any }): Promise<string> {
  const filters = [
    ...(configs.filter === undefined ? [] : [configs.filter]),
    anyPack(RouterSchema, create(RouterSchema)),
  ];
  const httpFilters = filters.map((value, i) => ({
    name: String(i),
    configType: { case: "typedConfig" as const, value },
  }));
  const typedPerFilterConfig: Record<string, Any> = configs.route === undefined ? {} : { "0": configs.route };
  await using proxy = new TestProxy();
  const rejections = await proxy.apply({
    listeners: [listener("in", 0, { httpFilters })],
    routes: [routes("in", { ...toCluster("*", "a"), typedPerFilterConfig })],
  });
  return rejections[0]?.reason ?? "";
}

const filters = {
  Buffer: pack(BufferSchema, { maxRequestBytes: 1 }),
  Mutations: pack(HeaderMutationSchema, { mutations }, []),
};
const perRoute = {
  BufferPerRoute: pack(BufferPerRouteSchema, { override: { case: "disabled", value: true } }),
  CompressorPerRoute: pack(CompressorPerRouteSchema, { override: { case: "disabled", value: true } }),
  HeaderMutationPerRoute: pack(HeaderMutationPerRouteSchema, {}),
  Mutations: pack(HeaderMutationPerRouteSchema, { mutations }, []),
};

test("a filter's field that is newer than the proxy is refused, in the listener and in what routes say of it", async () => {
  const about = (name: string) => new RegExp(`field 1000 of envoy\\S*\\.${name}: is newer than this proxy`);
  for (const [name, filter] of Object.entries(filters)) assert.match(await reasonFor({ filter }), about(name));
  for (const [name, route] of Object.entries(perRoute)) assert.match(await reasonFor({ route }), about(name));
});
