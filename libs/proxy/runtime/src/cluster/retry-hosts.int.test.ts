import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { type Any, anyPack } from "@bufbuild/protobuf/wkt";
import { Cluster_LbPolicy } from "@fairlead/envoy-api/envoy/config/cluster/v3/cluster_pb.js";
import { OmitHostMetadataConfigSchema } from "@fairlead/envoy-api/envoy/extensions/retry/host/omit_host_metadata/v3/omit_host_metadata_config_pb.js";
import { Backend } from "../testing/backend.ts";
import { call } from "../testing/client.ts";
import { TestProxy } from "../testing/proxy.ts";
import { assignment, cluster, duration, hostAt, listener, routes, toCluster } from "../testing/resources.ts";
import type { XdsResource } from "../xds-resource.ts";

type Metadata = Readonly<Record<string, string | boolean>>;

function endpointsWith(name: string, hosts: readonly (readonly [port: number, metadata: Metadata])[]): XdsResource {
  const lbEndpoints = hosts.map(([port, metadata]) => ({
    ...hostAt(port),
    metadata: { filterMetadata: { "envoy.lb": metadata } },
  }));
  return assignment(name, [{ lbEndpoints }]);
}

const canaryPredicate: Any = {
  $typeName: "google.protobuf.Any",
  typeUrl: "type.googleapis.com/envoy.extensions.retry.host.omit_canary_hosts.v3.OmitCanaryHostsPredicate",
  value: new Uint8Array(),
};
const oldPredicate = anyPack(
  OmitHostMetadataConfigSchema,
  create(OmitHostMetadataConfigSchema, { metadataMatch: { filterMetadata: { "envoy.lb": { version: "old" } } } }),
);

const rows: readonly (readonly [name: string, predicate: Any, left: Metadata, other: Metadata])[] = [
  ["canaries", canaryPredicate, { canary: true }, { canary: false }],
  ["hosts with certain metadata", oldPredicate, { version: "old" }, { version: "new" }],
];

for (const [name, typedConfig, left, other] of rows) {
  test(`other attempts leave out ${name}, first ones do not`, async () => {
    await using failing = await Backend.start((request, response) => {
      request.resume();
      response.writeHead(503).end();
    });
    await using leftOut = await Backend.named("left out");
    await using good = await Backend.named("good");
    const configType = { case: "typedConfig", value: typedConfig } as const;
    await using proxy = await TestProxy.start({
      clusters: [cluster("a", { lbPolicy: Cluster_LbPolicy.RANDOM })],
      endpoints: [
        endpointsWith("a", [
          [failing.port, {}],
          [leftOut.port, left],
          [good.port, other],
        ]),
      ],
      listeners: [listener("in", 0)],
      routes: [
        routes("in", {
          ...toCluster("*", "a", {
            retryPolicy: {
              retryOn: "5xx",
              numRetries: 20,
              retryBackOff: { baseInterval: duration(1) },
              retryHostPredicate: [{ name: "leave out", configType }],
              hostSelectionRetryMaxAttempts: 50n,
            },
          }),
          includeAttemptCountInResponse: true,
        }),
      ],
    });
    const first = new Set<string>();
    const again = new Set<string>();
    for (let i = 0; i < 30; i++) {
      const { body, headers } = await call(proxy.port("in"));
      (headers["x-envoy-attempt-count"] === "1" ? first : again).add(body);
    }
    assert.deepEqual([first, again], [new Set(["left out", "good"]), new Set(["good"])]);
  });
}
