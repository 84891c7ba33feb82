/** What a client says before TLS begins (RFC 8446 §4.1.2, RFC 6066 §3, RFC 7301 §3.1). */
export interface ClientHello {
  /** In lower case; "" when it names none. */
  readonly serverName: string;
  readonly alpn: readonly string[];
}

/** More than this is no ClientHello of a client that wants to be served (Envoy's limit). */
export const MAX_HELLO_BYTES = 16 * 1024;

/** @returns "plain" for what is not TLS, "more" while the message is not complete, "invalid" for what TLS does not allow */
export function readClientHello(bytes: Buffer): ClientHello | "plain" | "more" | "invalid" {
  if (bytes.length === 0) return "more";
  if (bytes[0] !== 0x16) return "plain";
  if (bytes.length >= 2 && bytes[1] !== 3) return "plain";
  const message = joinRecords(bytes);
  if (message === "invalid" || (message.length >= 1 && message[0] !== 1)) return "invalid";
  const end = endOf(message);
  if (end > MAX_HELLO_BYTES) return "invalid";
  if (message.length < end) return bytes.length > MAX_HELLO_BYTES ? "invalid" : "more";
  try {
    return parse(message.subarray(4, end));
  } catch (error) {
    if (error instanceof RangeError) return "invalid";
    throw error;
  }
}

/** @returns where the message ends; as far as its head must come, as long as that is not known */
function endOf(message: Buffer): number {
  return message.length < 4 ? 4 : 4 + message.readUIntBE(1, 3);
}

/** The handshake's bytes of the records that have come, whole or not, up to the end of the first message: early data may follow it. */
function joinRecords(bytes: Buffer): Buffer | "invalid" {
  const parts: Buffer[] = [];
  let have = 0;
  let end = 4;
  for (let at = 0; at + 5 <= bytes.length && have < end;) {
    if (bytes[at] !== 0x16) return "invalid";
    const length = bytes.readUInt16BE(at + 3);
    // RFC 8446 §5.1 allows no empty ones.
    if (length === 0) return "invalid";
    const part = bytes.subarray(at + 5, at + 5 + length);
    parts.push(part);
    const before = have;
    have += part.length;
    if (before < 4 && have >= 4) end = endOf(Buffer.concat(parts));
    at += 5 + length;
  }
  return Buffer.concat(parts);
}

/** @throws RangeError when a length points outside */
function parse(hello: Buffer): ClientHello {
  let at = 2 + 32;
  at += 1 + hello.readUInt8(at);
  at += 2 + hello.readUInt16BE(at);
  at += 1 + hello.readUInt8(at);
  if (at >= hello.length) return { serverName: "", alpn: [] };
  const end = at + 2 + hello.readUInt16BE(at);
  if (end > hello.length) throw new RangeError("extensions");
  let serverName = "";
  let alpn: readonly string[] = [];
  for (at += 2; at + 4 <= end;) {
    const type = hello.readUInt16BE(at);
    const length = hello.readUInt16BE(at + 2);
    const extension = hello.subarray(at + 4, at + 4 + length);
    if (at + 4 + length > end) throw new RangeError("an extension");
    if (type === 0) serverName = readServerName(extension);
    else if (type === 16) alpn = readAlpn(extension);
    at += 4 + length;
  }
  return { serverName, alpn };
}

function readServerName(extension: Buffer): string {
  if (extension.length < 5 || extension.readUInt8(2) !== 0) return "";
  const length = extension.readUInt16BE(3);
  return extension.toString("latin1", 5, 5 + length).toLowerCase();
}

function readAlpn(extension: Buffer): string[] {
  const names: string[] = [];
  for (let at = 2; at < extension.length;) {
    const length = extension.readUInt8(at);
    names.push(extension.toString("latin1", at + 1, at + 1 + length));
    at += 1 + length;
  }
  return names;
}
