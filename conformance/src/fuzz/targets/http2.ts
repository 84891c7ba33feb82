import assert from "node:assert/strict";
import { CLIENT_PREFACE, Http2Error } from "@fairlead/codec-http2";
import { type FuzzTarget, hex, outcomeOf, pieces } from "../fuzz-target.ts";
import { clientPeer, serverPeer } from "./http2-peers.ts";

function frame(type: number, flags: number, streamId: number, payload = ""): string {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length / 2, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(streamId, 5);
  return head.toString("hex") + payload;
}

const settings = frame(4, 0, 0);
const get = "828684010161";
const post = "838684010161";
const ok = "88";

function play(flags: number, parts: readonly Buffer[]): { readonly error: string; readonly outcome: unknown } {
  const peer = (flags & 1) === 0 ? serverPeer(flags) : clientPeer(flags);
  let error = "";
  try {
    for (const part of parts) peer.receive(part);
  } catch (thrown) {
    assert(thrown instanceof Http2Error, thrown instanceof Error ? (thrown.stack ?? "") : String(thrown));
    error = thrown.message;
  }
  return { error, outcome: peer.outcome() };
}

/** The first byte says who reads, and how; the preface is not part of the input. */
export const http2Target: FuzzTarget = {
  name: "http2",
  sources: ["libs/codec/http2/src"],
  seeds: () =>
    hex(
      `00${settings}${frame(1, 5, 1, get)}`,
      `02${settings}${frame(1, 4, 1, post)}${frame(0, 1, 1, "6162")}${frame(1, 5, 3, get)}`,
      `02${settings}${frame(1, 4, 1, `${post}0f0d0135`)}${frame(0, 9, 1, "026162630000")}`,
      `00${settings}${frame(1, 0x2c, 1, `028000000010${post}0000`)}${frame(9, 4, 1)}${frame(1, 5, 1, "0001780179")}`,
      `00${settings}${frame(1, 1, 1, "8286")}${frame(9, 0, 1, "84")}${frame(9, 4, 1, "010161")}`,
      `12${settings}${frame(1, 4, 1, post)}${frame(0, 0, 1, "00".repeat(120))}${frame(8, 0, 1, "00000010")}${frame(8, 0, 0, "00000010")}`,
      `04${settings}${frame(1, 4, 1, "0207434f4e4e45435441 0161".replaceAll(" ", ""))}`,
      `08${settings}${frame(1, 5, 1, get + "0001780179".repeat(8))}`,
      `00${frame(4, 0, 0, "000400000001000100000000000500004000")}${frame(4, 1, 0)}${frame(6, 0, 0, "0001020304050607")}${frame(3, 0, 1, "00000008")}`,
      `00${settings}${frame(2, 0, 1, "0000000310")}${frame(7, 0, 0, "0000000000000000")}${frame(99, 0, 0, "61")}`,
      `01${settings}${frame(1, 4, 1, ok)}${frame(0, 1, 1, "6f6b")}${frame(1, 5, 3, ok)}`,
      `03${settings}${frame(1, 4, 5, ok)}${frame(8, 0, 0, "00100000")}${frame(8, 0, 5, "00100000")}${frame(1, 5, 5, "0001740175")}`,
      `01${frame(4, 0, 0, "000300000001000600000100")}${frame(7, 0, 0, "0000000100000000")}${frame(3, 0, 3, "00000007")}`,
      `01${settings}${frame(1, 4, 1, "080331303388")}${frame(1, 4, 1, "0803313033")}`,
    ),
  dictionary: [
    ...hex(get, post, ok, "0f0d0130", "0f0d0135", "0001780179", "3fe11f", "0803313030", "7fffffff", "ffffffff", "00010000", "00000001", "2003", "3a70617468"),
    ...[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10].flatMap((type) => [0, 1, 4, 5, 8].map((flags) => Buffer.from(frame(type, flags, 1), "hex"))),
    ...[1, 3, 5, 2].map((id) => Buffer.from(frame(1, 5, id, get), "hex")),
  ],
  run(bytes) {
    const flags = bytes[0] ?? 0;
    const rest = bytes.subarray(1);
    const input = (flags & 1) === 0 ? Buffer.concat([CLIENT_PREFACE, rest]) : rest;
    const whole = play(flags, [input]);
    assert.deepEqual(play(flags, pieces(input)), whole);
    return `${flags & 1} ${outcomeOf(new Error(whole.error))}`;
  },
}; // prettier-ignore
