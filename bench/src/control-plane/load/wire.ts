/**
 * As much of protobuf's wire format as a load client needs. It decodes in place what it asks for and skips the rest: a full decoder
 * would take more of the machine than the control plane that is measured.
 */
export interface Field {
  readonly number: number;
  /** Of a varint field; 0 otherwise. */
  readonly value: number;
  /** Of a length-delimited field: where its bytes begin and end. */
  readonly start: number;
  readonly end: number;
}

const lengthDelimited = 2;

/** Calls `visit` for each field of the message in `bytes[start, end)`. The field is reused: take out of it what is needed. */
export function eachField(bytes: Uint8Array, start: number, end: number, visit: (field: Field) => void): void {
  const found = { number: 0, value: 0, start: 0, end: 0 };
  let at = start;
  const varint = () => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[at++];
      if (byte === undefined) throw new RangeError(`message is cut off at ${at}`);
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  };
  while (at < end) {
    const tag = varint();
    found.number = tag >>> 3;
    found.value = 0;
    const wireType = tag & 7;
    if (wireType === 0) {
      found.value = varint();
      found.start = found.end = at;
    } else if (wireType === lengthDelimited) {
      const length = varint();
      found.start = at;
      at += length;
      found.end = at;
    } else {
      found.start = at;
      at += wireType === 1 ? 8 : 4;
      found.end = at;
    }
    visit(found);
  }
}

function varintBytes(value: number): number[] {
  const bytes = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  bytes.push(rest);
  return bytes;
}

/** A string or an embedded message as a field. */
export function field(number: number, content: string | Uint8Array): Buffer {
  const body = typeof content === "string" ? Buffer.from(content) : content;
  return Buffer.concat([Buffer.from([number * 8 + lengthDelimited, ...varintBytes(body.byteLength)]), body]);
}

export function varintField(number: number, value: number): Buffer {
  return Buffer.from([number * 8, ...varintBytes(value)]);
}
