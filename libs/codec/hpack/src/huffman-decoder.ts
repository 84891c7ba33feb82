import { codeLengths, codes, EOS } from "./huffman-code.ts";
import { HpackError } from "./hpack-error.ts";

/*
 * A state is a place inside the code's tree where a nibble may end. One look-up for four bits:
 *
 *   bit  0–7   the next state
 *   bit  8–15  the symbol that was completed
 *   bit 16     a symbol was completed (two are not possible: the shortest code has five bits)
 *   bit 17     the string may end here: what is left is a part of EOS, shorter than a byte
 *   bit 18     EOS itself, which must not occur
 */
const SYMBOL = 1 << 16;
const MAY_END = 1 << 17;
const FAILED = 1 << 18;

const transitions = buildTransitions();

interface Node {
  readonly children: [Node | undefined, Node | undefined];
  symbol: number;
  state: number;
  /** Of the path from the root, when it is all ones; else -1. */
  onesDepth: number;
}

function node(onesDepth: number): Node {
  return { children: [undefined, undefined], symbol: -1, state: -1, onesDepth };
}

function buildTree(): Node {
  const root = node(0);
  for (const [symbol, code] of codes.entries()) {
    let at = root;
    for (let bit = (codeLengths[symbol] ?? 0) - 1; bit >= 0; bit--) {
      const way = ((code >>> bit) & 1) as 0 | 1;
      at = at.children[way] ??= node(way === 1 && at.onesDepth >= 0 ? at.onesDepth + 1 : -1);
    }
    at.symbol = symbol;
  }
  return root;
}

function buildTransitions(): Uint32Array {
  const root = buildTree();
  const states: Node[] = [];
  const number = (at: Node): void => {
    if (at.symbol !== -1) return;
    at.state = states.length;
    states.push(at);
    for (const child of at.children) if (child !== undefined) number(child);
  };
  number(root);
  const table = new Uint32Array(states.length * 16);
  for (const [state, from] of states.entries()) {
    for (let nibble = 0; nibble < 16; nibble++) table[state * 16 + nibble] = walk(root, from, nibble);
  }
  return table;
}

function walk(root: Node, from: Node, nibble: number): number {
  let at = from;
  let entry = 0;
  for (let bit = 3; bit >= 0; bit--) {
    const next = at.children[((nibble >>> bit) & 1) as 0 | 1];
    if (next === undefined || next.symbol === EOS) return FAILED;
    if (next.symbol === -1) at = next;
    else {
      entry |= SYMBOL | (next.symbol << 8);
      at = root;
    }
  }
  // RFC 7541 §5.2: padding is the most significant bits of EOS, at most seven of them.
  if (at.onesDepth >= 0 && at.onesDepth < 8) entry |= MAY_END;
  return entry | at.state;
}

let decoded = Buffer.allocUnsafeSlow(4096);

/** @throws HpackError for EOS in the string, or padding that is not EOS or too long */
export function decodeHuffman(bytes: Buffer, start: number, end: number): string {
  const most = ((end - start) * 8) / 5;
  if (decoded.length < most) decoded = Buffer.allocUnsafeSlow(Math.ceil(most));
  const out = decoded;
  let length = 0;
  let entry = MAY_END;
  for (let i = start; i < end; i++) {
    const byte = bytes[i] ?? 0;
    entry = transitions[((entry & 255) << 4) | (byte >>> 4)] ?? FAILED;
    if ((entry & SYMBOL) !== 0) out[length++] = (entry >>> 8) & 255;
    if ((entry & FAILED) !== 0) throw new HpackError("EOS within a Huffman string");
    entry = transitions[((entry & 255) << 4) | (byte & 15)] ?? FAILED;
    if ((entry & SYMBOL) !== 0) out[length++] = (entry >>> 8) & 255;
    if ((entry & FAILED) !== 0) throw new HpackError("EOS within a Huffman string");
  }
  if ((entry & MAY_END) === 0) throw new HpackError("the padding of a Huffman string is not a part of EOS");
  return out.toString("latin1", 0, length);
}
