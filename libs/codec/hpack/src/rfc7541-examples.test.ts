import assert from "node:assert/strict";
import { test } from "node:test";
import { HpackDecoder } from "./decoder.ts";

/** RFC 7541 Appendix C: blocks in a row on one connection, what they say, and the table's size after each. */
type Example = readonly [block: string, headers: readonly string[], tableBytes: number];

const get = [":method: GET", ":scheme: http"];
const requests = (first: string, second: string, third: string): readonly Example[] => [
  [first, [...get, ":path: /", ":authority: www.example.com"], 57],
  [second, [...get, ":path: /", ":authority: www.example.com", "cache-control: no-cache"], 110],
  [
    third,
    [":method: GET", ":scheme: https", ":path: /index.html", ":authority: www.example.com", "custom-key: custom-value"],
    164,
  ],
];
const date = "date: Mon, 21 Oct 2013 20:13:21 GMT";
const location = "location: https://www.example.com";
const responses = (first: string, second: string, third: string): readonly Example[] => [
  [first, [":status: 302", "cache-control: private", date, location], 222],
  [second, [":status: 307", "cache-control: private", date, location], 222],
  [
    third,
    [
      ":status: 200",
      "cache-control: private",
      "date: Mon, 21 Oct 2013 20:13:22 GMT",
      location,
      "content-encoding: gzip",
      "set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1",
    ],
    215,
  ],
];

const examples: readonly (readonly [name: string, tableBytes: number, blocks: readonly Example[]])[] = [
  ["C.2.1", 4096, [["400a637573746f6d2d6b65790d637573746f6d2d686561646572", ["custom-key: custom-header"], 55]]],
  ["C.2.2", 4096, [["040c2f73616d706c652f70617468", [":path: /sample/path"], 0]]],
  ["C.2.3", 4096, [["100870617373776f726406736563726574", ["password: secret (never indexed)"], 0]]],
  ["C.2.4", 4096, [["82", [":method: GET"], 0]]],
  [
    "C.3",
    4096,
    requests(
      "828684410f7777772e6578616d706c652e636f6d",
      "828684be58086e6f2d6361636865",
      "828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565",
    ),
  ],
  [
    "C.4",
    4096,
    requests(
      "828684418cf1e3c2e5f23a6ba0ab90f4ff",
      "828684be5886a8eb10649cbf",
      "828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf",
    ),
  ],
  [
    "C.5",
    256,
    responses(
      "4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a323120474d546e1768747470733a2f2f7777772e6578616d706c652e636f6d",
      "4803333037c1c0bf",
      "88c1611d4d6f6e2c203231204f637420323031332032303a31333a323220474d54c05a04677a69707738666f6f3d4153444a4b48514b425a584f5157454f50495541585157454f49553b206d61782d6167653d333630303b2076657273696f6e3d31",
    ),
  ],
  [
    "C.6",
    256,
    responses(
      "488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3",
      "4883640effc1c0bf",
      "88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007",
    ),
  ],
];

for (const [name, limit, blocks] of examples) {
  test(`RFC 7541 ${name}`, () => {
    const decoder = new HpackDecoder(limit);
    for (const [hex, expected, tableBytes] of blocks) {
      const block = Buffer.from(hex, "hex");
      const headers: string[] = [];
      decoder.decode(block, 0, block.length, {
        onHeader: (header, value, never) => headers.push(`${header}: ${value}${never ? " (never indexed)" : ""}`),
      });
      assert.deepEqual(headers, expected);
      assert.equal(decoder.tableBytes, tableBytes);
    }
  });
}
