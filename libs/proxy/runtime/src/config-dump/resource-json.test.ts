import assert from "node:assert/strict";
import { test } from "node:test";
import { create, type DescMessage, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { type Any, AnySchema, anyPack } from "@bufbuild/protobuf/wkt";
import { typeUrls } from "@fairlead/envoy-api";
import { GzipSchema } from "@fairlead/envoy-api/envoy/extensions/compression/gzip/compressor/v3/gzip_pb.js";
import { CompressorSchema } from "@fairlead/envoy-api/envoy/extensions/filters/http/compressor/v3/compressor_pb.js";
import { MaglevSchema } from "@fairlead/envoy-api/envoy/extensions/load_balancing_policies/maglev/v3/maglev_pb.js";
import { SecretSchema } from "@fairlead/envoy-api/envoy/extensions/transport_sockets/tls/v3/secret_pb.js";
import { UpstreamTlsContextSchema } from "@fairlead/envoy-api/envoy/extensions/transport_sockets/tls/v3/tls_pb.js";
import { cluster, listener } from "../testing/resources.ts";
import type { XdsResource } from "../xds-resource.ts";
import { resourceJson } from "./resource-json.ts";

function pack<Desc extends DescMessage>(schema: Desc, init: MessageInitShape<Desc>): Any {
  return anyPack(schema, create(schema, init));
}

function json(kind: keyof typeof typeUrls, { body }: XdsResource): string {
  return JSON.stringify(resourceJson(typeUrls[kind], body));
}

const inListener = (value: Any): XdsResource =>
  listener("in", 0, { httpFilters: [{ name: "f", configType: { case: "typedConfig", value } }] });

test("filters and balancers that a proxy has are in its JSON with their fields", () => {
  const library = pack(GzipSchema, { memoryLevel: 5 });
  const compressor = pack(CompressorSchema, { compressorLibrary: { name: "lib", typedConfig: library } });
  assert.match(json("listener", inListener(compressor)), /"memory_level":5/);
  const policy = { name: "maglev", typedConfig: pack(MaglevSchema, { tableSize: 101n }) };
  const balanced = cluster("a", { loadBalancingPolicy: { policies: [{ typedExtensionConfig: policy }] } });
  assert.match(json("cluster", balanced), /"table_size":"101"/);
});

test("a third party's filter is there by its type, and hides nothing around it", () => {
  const value = Buffer.from([10, 6, 115, 101, 99, 114, 101, 116]);
  const filter = create(AnySchema, { typeUrl: "type.googleapis.com/acme.v1.Filter", value });
  const text = json("listener", inListener(filter));
  assert.match(text, /"@type":"type\.googleapis\.com\/acme\.v1\.Filter"/);
  assert.match(text, /"route_config_name":"in"/);
  assert.doesNotMatch(text, /secret"|error/);
});

test("what is secret is redacted in its shape, and where it is to be read from is told", () => {
  const inline = (text: string) => ({ specifier: { case: "inlineBytes" as const, value: Buffer.from(text) } });
  const secret = create(SecretSchema, {
    name: "server",
    type: {
      case: "tlsCertificate",
      value: { privateKey: inline("a key"), password: { specifier: { case: "inlineString", value: "a word" } } },
    },
  });
  const redacted = toBinary(SecretSchema, secret);
  assert.deepEqual(resourceJson(typeUrls.secret, redacted), {
    name: "server",
    tls_certificate: {
      private_key: { inline_bytes: Buffer.from("[redacted]").toString("base64") },
      password: { inline_string: "[redacted]" },
    },
  });
  const file = create(SecretSchema, {
    type: { case: "tlsCertificate", value: { privateKey: { specifier: { case: "filename", value: "/key.pem" } } } },
  });
  assert.match(JSON.stringify(resourceJson(typeUrls.secret, toBinary(SecretSchema, file))), /"filename":"\/key.pem"/);
  const generic = create(SecretSchema, { type: { case: "genericSecret", value: { secret: inline("a token") } } });
  assert.doesNotMatch(
    JSON.stringify(resourceJson(typeUrls.secret, toBinary(SecretSchema, generic))),
    new RegExp(Buffer.from("a token").toString("base64")),
  );
});

test("keys and tokens are redacted also inside of a cluster or an extension of it", () => {
  const secret = Buffer.from("top secret");
  const certificate = { pkcs12: { specifier: { case: "inlineBytes" as const, value: secret } } };
  const context = pack(UpstreamTlsContextSchema, { commonTlsContext: { tlsCertificates: [certificate] } });
  const credential = (value: string) => ({ credentialSpecifier: { case: "accessToken" as const, value } });
  const googleGrpc = { targetUri: "eds", callCredentials: [credential("top secret")] };
  const grpcServices = [{ targetSpecifier: { case: "googleGrpc" as const, value: googleGrpc } }];
  const text = json(
    "cluster",
    cluster("a", {
      transportSocket: { name: "tls", configType: { case: "typedConfig", value: context } },
      edsClusterConfig: {
        edsConfig: { configSourceSpecifier: { case: "apiConfigSource", value: { grpcServices } } },
      },
    }),
  );
  assert.match(text, /"access_token":"\[redacted\]"/);
  assert.match(text, /"pkcs12":\{"inline_bytes"/);
  assert.doesNotMatch(text, new RegExp(`top secret|${secret.toString("base64")}`));
});
