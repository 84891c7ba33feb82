import assert from "node:assert/strict";
import { test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { typeUrls } from "@fairlead/envoy-api";
import { ClusterLoadAssignmentSchema } from "@fairlead/envoy-api/envoy/config/endpoint/v3/endpoint_pb.js";
import {
  DeltaDiscoveryResponseSchema,
  DiscoveryResponseSchema,
} from "@fairlead/envoy-api/envoy/service/discovery/v3/discovery_pb.js";
import * as fc from "fast-check";
import { markerService } from "../marker.ts";
import { Contents } from "./contents.ts";
import { GrpcMessages } from "./grpc-messages.ts";
import { readHead } from "./response.ts";
import type { Variant } from "./variant.ts";

const nameOf = (service: string) => `outbound|http||${service}`;

function assignment(name: string, weights: readonly number[]): Uint8Array {
  const lbEndpoints = weights.map((value) => ({ loadBalancingWeight: value }));
  const message = { clusterName: name, endpoints: [{ locality: {}, loadBalancingWeight: 1, lbEndpoints }] };
  return toBinary(ClusterLoadAssignmentSchema, create(ClusterLoadAssignmentSchema, message));
}

function response(variant: Variant, assignments: ReadonlyMap<string, readonly number[]>): Buffer {
  const typeUrl = typeUrls.endpoint;
  const any = (name: string) => ({ typeUrl, value: assignment(name, assignments.get(name) ?? []) });
  const names = [...assignments.keys()];
  const nonce = "n-1";
  return Buffer.from(
    variant === "sotw"
      ? toBinary(
          DiscoveryResponseSchema,
          create(DiscoveryResponseSchema, { typeUrl, nonce, versionInfo: "v", resources: names.map(any) }),
        )
      : toBinary(
          DeltaDiscoveryResponseSchema,
          create(DeltaDiscoveryResponseSchema, {
            typeUrl,
            nonce,
            systemVersionInfo: "v",
            resources: names.map((name) => ({ name, version: `of ${name}`, resource: any(name) })),
          }),
        ),
  );
}

for (const variant of ["sotw", "delta"] as const) {
  test(`${variant}: what a full encoder wrote is read: head, names, and the marks of markers alone`, () => {
    const name = fc.string({ minLength: 1, maxLength: 200, unit: "grapheme-ascii" });
    fc.assert(
      fc.property(fc.uniqueArray(name), fc.nat(9), fc.integer({ min: 2, max: 10_000 }), (others, marker, mark) => {
        const weights = [1, mark, 1, 1];
        const sent = new Map(others.map((other) => [other, [7, 7]]));
        sent.set(nameOf(markerService(marker)), weights);
        const bytes = response(variant, sent);
        const head = readHead(bytes);
        assert.deepEqual(
          { typeUrl: head.typeUrl, nonce: head.nonce, version: head.version, resources: head.resources },
          { typeUrl: typeUrls.endpoint, nonce: "n-1", version: "v", resources: sent.size },
        );
        const contents = new Contents(variant);
        const { held, marks } = contents.of(bytes, head);
        assert.deepEqual(held.names, [...sent.keys()]);
        assert.deepEqual(marks, [[marker, mark]]);
        const version = contents.versions(typeUrls.endpoint).get(nameOf(markerService(marker)));
        assert.equal(version, variant === "delta" ? `of ${nameOf(markerService(marker))}` : undefined);
      }),
    );
  });
}

test("messages are put together again however HTTP/2 has cut them", () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 40 })),
      fc.infiniteStream(fc.integer({ min: 1, max: 30 })),
      (sent, cuts) => {
        const wire = Buffer.concat(
          sent.flatMap((message) => {
            const head = Buffer.alloc(5);
            head.writeUInt32BE(message.byteLength, 1);
            return [head, message];
          }),
        );
        const messages = new GrpcMessages();
        const received: Buffer[] = [];
        for (let at = 0; at < wire.byteLength;) {
          const end = at + (cuts.next().value ?? 1);
          messages.push(wire.subarray(at, end), (message) => received.push(message));
          at = end;
        }
        assert.deepEqual(
          received.map((message) => message.toString("hex")),
          sent.map((message) => Buffer.from(message).toString("hex")),
        );
      },
    ),
  );
});
