import assert from "node:assert/strict";
import { test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import {
  DeltaDiscoveryRequestSchema,
  DiscoveryRequestSchema,
} from "@fairlead/envoy-api/envoy/service/discovery/v3/discovery_pb.js";
import { FairleadError } from "@fairlead/errors";
import * as fc from "fast-check";
import { decodeDeltaRequest, decodeSotwRequest, type ReceivedMessage } from "./discovery-call.ts";

const names = fc.array(fc.string({ maxLength: 40 }), { maxLength: 40 });
const node = fc.record({ id: fc.string(), cluster: fc.string() });

function taken(received: ReceivedMessage) {
  assert.ok(!(received instanceof FairleadError), received instanceof Error ? received.message : "refused");
  return received;
}

test("a delta request means what the message says, however long its lists are", () => {
  const fields = fc.record({
    node,
    typeUrl: fc.string(),
    resourceNamesSubscribe: names,
    resourceNamesUnsubscribe: names,
    initialResourceVersions: fc.dictionary(fc.string(), fc.string(), { maxKeys: 40 }),
    responseNonce: fc.string(),
  });
  fc.assert(
    fc.property(fields, (request) => {
      const bytes = toBinary(DeltaDiscoveryRequestSchema, create(DeltaDiscoveryRequestSchema, request));
      const read = taken(decodeDeltaRequest(Buffer.from(bytes)));
      assert.equal(read.node?.id, request.node.id);
      const { names: subscribed, unsubscribed, initialVersions, nonce, typeUrl } = read.request;
      assert.deepEqual(
        { subscribed, unsubscribed, initialVersions, nonce, typeUrl },
        {
          subscribed: request.resourceNamesSubscribe,
          unsubscribed: request.resourceNamesUnsubscribe,
          initialVersions: new Map(Object.entries(request.initialResourceVersions)),
          nonce: request.responseNonce,
          typeUrl: request.typeUrl,
        },
      );
    }),
  );
});

test("a request in state of the world means what the message says", () => {
  fc.assert(
    fc.property(
      fc.record({ node, typeUrl: fc.string(), resourceNames: names, versionInfo: fc.string() }),
      (request) => {
        const bytes = toBinary(DiscoveryRequestSchema, create(DiscoveryRequestSchema, request));
        const read = taken(decodeSotwRequest(Buffer.from(bytes)));
        assert.deepEqual(read.request.names, request.resourceNames);
        assert.deepEqual([read.node?.id, read.request.typeUrl], [request.node.id, request.typeUrl]);
      },
    ),
  );
});

const broken: Readonly<Record<string, readonly number[]>> = {
  "a name that is longer than the message": [0x1a, 5, 97],
  "a name that is no UTF-8": [0x1a, 1, 0x80],
  "an entry that is longer than the message": [0x2a, 9, 0x0a, 1, 97],
  "a version that is longer than its entry": [0x2a, 5, 0x0a, 1, 97, 0x12, 3, 98, 98, 98],
  "a version that is no UTF-8": [0x2a, 6, 0x0a, 1, 97, 0x12, 1, 0xff],
  "a tag that does not end": [0x80],
};

for (const [what, bytes] of Object.entries(broken)) {
  test(`${what} is refused`, () => {
    const received = decodeDeltaRequest(Buffer.from(bytes));
    assert.ok(received instanceof FairleadError);
    assert.equal(received.code, "FL_XDS_MALFORMED");
  });
}

test("no bytes make a decoder throw", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 30 }), fc.constantFrom(0x1a, 0x2a, 0x12), (bytes, tag) => {
      for (const decode of [decodeDeltaRequest, decodeSotwRequest]) {
        decode(Buffer.from(bytes));
        decode(Buffer.from([tag, bytes.byteLength, ...bytes]));
      }
    }),
    { numRuns: 1000 },
  );
});

test("requests with equal lists share them, whatever else they say", () => {
  const initialResourceVersions = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`c${index}`, "1"]));
  const [one, two] = ["n1", "n2"].map((id) => {
    const request = create(DeltaDiscoveryRequestSchema, { node: { id }, initialResourceVersions });
    return taken(decodeDeltaRequest(Buffer.from(toBinary(DeltaDiscoveryRequestSchema, request))));
  });
  assert.equal(one?.request.initialVersions, two?.request.initialVersions);
  assert.deepEqual([one?.node?.id, two?.node?.id], ["n1", "n2"]);
});
