import assert from "node:assert/strict";
import { test } from "node:test";
import { create, type DescMessage, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { anyPack, DurationSchema } from "@bufbuild/protobuf/wkt";
import { typeUrls } from "@fairlead/envoy-api";
import { ClusterSchema } from "@fairlead/envoy-api/envoy/config/cluster/v3/cluster_pb.js";
import { ListenerSchema } from "@fairlead/envoy-api/envoy/config/listener/v3/listener_pb.js";
import { RouteConfigurationSchema } from "@fairlead/envoy-api/envoy/config/route/v3/route_pb.js";
import { SecretSchema } from "@fairlead/envoy-api/envoy/extensions/transport_sockets/tls/v3/secret_pb.js";
import { DownstreamTlsContextSchema } from "@fairlead/envoy-api/envoy/extensions/transport_sockets/tls/v3/tls_pb.js";
import { readableBody } from "./readable-body.ts";

const inline = (value: string) => ({ specifier: { case: "inlineString" as const, value } });
const certificate = {
  certificateChain: inline("PUBLIC"),
  privateKey: inline("SECRET-KEY"),
  password: inline("SECRET-PASSWORD"),
};

function bodyOf<Schema extends DescMessage>(schema: Schema, init: MessageInitShape<Schema>): Uint8Array {
  return toBinary(schema, create(schema, init));
}

test("a secret is shown without its keys", () => {
  const tls = bodyOf(SecretSchema, { name: "a", type: { case: "tlsCertificate", value: certificate } });
  const text = JSON.stringify(readableBody(typeUrls.secret, tls));
  assert.match(text, /PUBLIC/);
  assert.match(text, /"privateKey":\{"inlineString":"\[redacted\]"\}/);
  assert.doesNotMatch(text, /SECRET/);
  const generic = bodyOf(SecretSchema, {
    name: "b",
    type: { case: "genericSecret", value: { secret: inline("SECRET") } },
  });
  const tickets = bodyOf(SecretSchema, {
    name: "c",
    type: { case: "sessionTicketKeys", value: { keys: [inline("SECRET")] } },
  });
  for (const body of [generic, tickets]) {
    assert.doesNotMatch(JSON.stringify(readableBody(typeUrls.secret, body)), /SECRET/);
  }
});

test("keys inside of a listener's transport socket are not shown either", () => {
  const context = create(DownstreamTlsContextSchema, { commonTlsContext: { tlsCertificates: [certificate] } });
  const typedConfig = { case: "typedConfig" as const, value: anyPack(DownstreamTlsContextSchema, context) };
  const body = bodyOf(ListenerSchema, {
    name: "l",
    filterChains: [{ transportSocket: { name: "tls", configType: typedConfig } }],
  });
  const text = JSON.stringify(readableBody(typeUrls.listener, body));
  assert.match(text, /DownstreamTlsContext/);
  assert.match(text, /PUBLIC/);
  assert.doesNotMatch(text, /SECRET/);
});

test("what is not known is told by type and size", () => {
  const unknown = anyPack(DurationSchema, create(DurationSchema, { seconds: 5n }));
  unknown.typeUrl = "type.googleapis.com/some.Extension";
  const body = bodyOf(ClusterSchema, { name: "c", typedExtensionProtocolOptions: { x: unknown } });
  assert.match(JSON.stringify(readableBody(typeUrls.cluster, body)), /2 bytes of some\.Extension, which is not shown/);
  assert.equal(
    readableBody("type.googleapis.com/some.Thing", Uint8Array.of(1)),
    "1 bytes of some.Thing, which is not shown",
  );
});

test("routes are shown as they are", () => {
  const body = bodyOf(RouteConfigurationSchema, { name: "r", virtualHosts: [{ name: "v", domains: ["a.b"] }] });
  assert.deepEqual(readableBody(typeUrls.route, body), { name: "r", virtualHosts: [{ name: "v", domains: ["a.b"] }] });
});
