import assert from "node:assert/strict";
import { test } from "node:test";
import { create, type DescMessage, type MessageInitShape } from "@bufbuild/protobuf";
import { type Any, AnySchema, anyPack } from "@bufbuild/protobuf/wkt";
import { GzipSchema } from "@fairlead/envoy-api/envoy/extensions/compression/gzip/compressor/v3/gzip_pb.js";
import { CompressorSchema } from "@fairlead/envoy-api/envoy/extensions/filters/http/compressor/v3/compressor_pb.js";
import { MaglevSchema } from "@fairlead/envoy-api/envoy/extensions/load_balancing_policies/maglev/v3/maglev_pb.js";
import { renderConfigDump } from "./config-dump.ts";
import { cluster, listener } from "./testing/resources.ts";
import type { XdsResource } from "./xds-resource.ts";

function pack<Desc extends DescMessage>(schema: Desc, init: MessageInitShape<Desc>): Any {
  return anyPack(schema, create(schema, init));
}

function dump(kind: "clusters" | "listeners", resource: XdsResource): string {
  const none = { clusters: [], endpoints: [], listeners: [], routes: [], secrets: [] };
  const rejections = new Map<string, never>();
  return JSON.stringify(
    renderConfigDump({ nodeId: "n", ...none, rejections, [kind]: [{ ...resource, state: "active" }] }),
  );
}

const inListener = (value: Any): XdsResource =>
  listener("in", 0, { httpFilters: [{ name: "f", configType: { case: "typedConfig", value } }] });

test("filters and balancers that a proxy has are in its dump with their fields", () => {
  const library = pack(GzipSchema, { memoryLevel: 5 });
  const compressor = pack(CompressorSchema, { compressorLibrary: { name: "lib", typedConfig: library } });
  assert.match(dump("listeners", inListener(compressor)), /"memoryLevel":5/);
  const policy = { name: "maglev", typedConfig: pack(MaglevSchema, { tableSize: 101n }) };
  const balanced = cluster("a", { loadBalancingPolicy: { policies: [{ typedExtensionConfig: policy }] } });
  assert.match(dump("clusters", balanced), /"tableSize":"101"/);
});

test("a third party's filter is in the dump by its type, and hides nothing around it", () => {
  const value = Buffer.from([10, 6, 115, 101, 99, 114, 101, 116]);
  const filter = create(AnySchema, { typeUrl: "type.googleapis.com/acme.v1.Filter", value });
  const text = dump("listeners", inListener(filter));
  assert.match(text, /"@type":"type\.googleapis\.com\/acme\.v1\.Filter"/);
  assert.match(text, /"routeConfigName":"in"/);
  assert.doesNotMatch(text, /secret"|error/);
});
