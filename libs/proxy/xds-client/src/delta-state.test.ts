import assert from "node:assert/strict";
import { test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { AnySchema } from "@bufbuild/protobuf/wkt";
import { ClusterSchema } from "@fairlead/envoy-api/envoy/config/cluster/v3/cluster_pb.js";
import {
  DeltaDiscoveryResponseSchema,
  type DiscoveryRequest,
  DiscoveryRequestSchema,
  type DiscoveryResponse,
} from "@fairlead/envoy-api/envoy/service/discovery/v3/discovery_pb.js";
import { StatusSchema } from "@fairlead/envoy-api/google/rpc/status_pb.js";
import { typeUrls } from "@fairlead/envoy-api";
import { decodeResources } from "./decode-resources.ts";
import { DeltaTypeState } from "./delta-state.ts";

function response(typeUrl: string, nonce: string, changed: Record<string, string>, removedResources: string[] = []) {
  const resources = Object.entries(changed).map(([name, version]) => ({
    name,
    version,
    resource: create(AnySchema, {
      typeUrl,
      value: toBinary(ClusterSchema, create(ClusterSchema, { name, altStatName: version })),
    }),
  }));
  return create(DeltaDiscoveryResponseSchema, { typeUrl, nonce, resources, removedResources });
}

function request(
  typeUrl: string,
  responseNonce: string,
  resourceNames: string[] = [],
  error?: string,
): DiscoveryRequest {
  const errorDetail = error === undefined ? {} : { errorDetail: create(StatusSchema, { message: error }) };
  return create(DiscoveryRequestSchema, { typeUrl, responseNonce, resourceNames, ...errorDetail });
}

function names(full: DiscoveryResponse): string[] {
  const decoded = decodeResources(full);
  assert("resources" in decoded);
  return decoded.resources.map(({ name }) => name);
}

test("the client gets all clusters though only changes come; the next stream begins with their versions", () => {
  const state = new DeltaTypeState(typeUrls.cluster);
  const first = state.toDelta(request(typeUrls.cluster, ""), []);
  assert.deepEqual([first.resourceNamesSubscribe, first.initialResourceVersions, first.responseNonce], [[], {}, ""]);
  assert.deepEqual(names(state.fromDelta(response(typeUrls.cluster, "1", { a: "v1", b: "v1" }))), ["a", "b"]);
  assert.equal(state.toDelta(request(typeUrls.cluster, "1"), []).responseNonce, "1");
  assert.deepEqual(names(state.fromDelta(response(typeUrls.cluster, "2", { c: "v1", a: "v2" }, ["b"]))), ["a", "c"]);
  state.toDelta(request(typeUrls.cluster, "2"), []);
  // A request that answers nothing has no nonce.
  assert.equal(state.toDelta(request(typeUrls.cluster, "2"), []).responseNonce, "");
  state.beginStream();
  assert.deepEqual(state.toDelta(request(typeUrls.cluster, ""), []).initialResourceVersions, { a: "", c: "v1" });
});

test("what was rejected comes again on the next stream, and the last good one is told meanwhile", () => {
  const state = new DeltaTypeState(typeUrls.cluster);
  state.toDelta(request(typeUrls.cluster, ""), []);
  state.fromDelta(response(typeUrls.cluster, "1", { a: "v1" }));
  state.toDelta(request(typeUrls.cluster, "1"), []);
  state.fromDelta(response(typeUrls.cluster, "2", { a: "v2", bad: "v1", c: "v1" }));
  const nack = state.toDelta(request(typeUrls.cluster, "2", [], "no"), ["a", "bad"]);
  assert.deepEqual([nack.responseNonce, nack.errorDetail?.message], ["2", "no"]);
  assert.deepEqual(names(state.fromDelta(response(typeUrls.cluster, "3", { d: "v1" }))), ["a", "c", "d"]);
  state.toDelta(request(typeUrls.cluster, "3"), []);
  state.beginStream();
  assert.deepEqual(state.toDelta(request(typeUrls.cluster, ""), []).initialResourceVersions, {
    a: "",
    c: "v1",
    d: "v1",
  });
});

test("a response that could not be read changes nothing that is held", () => {
  const state = new DeltaTypeState(typeUrls.cluster);
  state.toDelta(request(typeUrls.cluster, ""), []);
  state.fromDelta(response(typeUrls.cluster, "1", { a: "v1" }));
  state.toDelta(request(typeUrls.cluster, "1"), []);
  state.fromDelta(response(typeUrls.cluster, "2", { b: "v1" }, ["a"]));
  state.toDelta(request(typeUrls.cluster, "2", [], "no"), ["resources[0]"]);
  state.beginStream();
  assert.deepEqual(state.toDelta(request(typeUrls.cluster, ""), []).initialResourceVersions, { a: "" });
});

test("names are subscribed to and given up one by one; only what changed is told", () => {
  const state = new DeltaTypeState(typeUrls.endpoint);
  assert.deepEqual(state.toDelta(request(typeUrls.endpoint, "", ["a", "b"]), []).resourceNamesSubscribe, ["a", "b"]);
  assert.deepEqual(names(state.fromDelta(response(typeUrls.endpoint, "1", { a: "v1", b: "v1" }))), ["a", "b"]);
  const next = state.toDelta(request(typeUrls.endpoint, "1", ["b", "c"]), []);
  assert.deepEqual(
    [next.resourceNamesSubscribe, next.resourceNamesUnsubscribe, next.responseNonce],
    [["c"], ["a"], "1"],
  );
  assert.deepEqual(names(state.fromDelta(response(typeUrls.endpoint, "2", { c: "v1" }))), ["c"]);
  state.toDelta(request(typeUrls.endpoint, "2", ["b", "c"]), []);
  state.beginStream();
  const again = state.toDelta(request(typeUrls.endpoint, "", ["c"]), []);
  assert.deepEqual([again.resourceNamesSubscribe, again.initialResourceVersions], [["c"], { c: "v1" }]);
});
