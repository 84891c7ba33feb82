import type { RpcFrame, RpcProtocol } from "@fairlead/codec-rpc";

/** Made by hand, so that its parts can be broken: a call of org.x, method note, without arguments. */
function dubboCall(attachments: string, args = "", descriptor = "00"): Buffer {
  const body = Buffer.from(`05322e302e32056f72672e784e046e6f7465${descriptor}${args}${attachments}`, "hex");
  const head = Buffer.from("dabbc200000000000000000000000000", "hex");
  head.writeUInt32BE(body.length, 12);
  return Buffer.concat([head, body]);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

const sofaRequest = "com.alipay.sofa.rpc.core.request.SofaRequest";

function boltCall(headers: Buffer, content: Buffer, className = sofaRequest): Buffer {
  const head = Buffer.from("01010001010000000001000000000000000000000000", "hex");
  head.writeUInt16BE(className.length, 14);
  head.writeUInt16BE(headers.length, 16);
  head.writeUInt32BE(content.length, 18);
  return Buffer.concat([head, Buffer.from(className), headers, content]);
}

const service = Buffer.concat([text("service"), text("org.x:1.0")]);
const method = Buffer.concat([text("sofa_head_method_name"), text("note")]);

/** Calls that differ in what of them cannot be read. */
export interface BrokenCalls {
  readonly good: Buffer;
  /** No service and method. */
  readonly head: Buffer;
  /** Attachments, which are read when a route asks for one. */
  readonly attachments: Buffer;
  /** Values in values in values, where a route's question leads past them. */
  readonly nesting: Buffer;
}

export function brokenCalls(protocol: RpcProtocol): BrokenCalls {
  if (protocol.name === "dubbo") {
    const head = dubboCall("48016b01765a");
    head.fill(0xff, 16, 20);
    return {
      good: dubboCall("48016b01765a"),
      head,
      attachments: dubboCall("48016bff"),
      nesting: dubboCall("48016b01765a", "79".repeat(200_000), "0149"),
    };
  }
  const unreadable = Buffer.alloc(40, 0xff);
  const lengths = Buffer.from(service);
  lengths.writeUInt32BE(0xfffffff0, 0);
  const nested = Buffer.concat([Buffer.from("4fac"), Buffer.alloc(200_000, 0x57)]);
  return {
    good: boltCall(Buffer.concat([service, method, text("k"), text("v")]), Buffer.alloc(0), "x"),
    head: boltCall(lengths, Buffer.alloc(0)),
    attachments: boltCall(Buffer.concat([service, method]), unreadable),
    nesting: boltCall(service, nested),
  };
}

export function withId(protocol: RpcProtocol, frame: Buffer, id: number): Buffer {
  const bytes = Buffer.from(frame);
  protocol.setId(bytes, 0, id);
  return bytes;
}

/** A response of a host with nothing in it. */
export function responseTo(protocol: RpcProtocol, request: RpcFrame): Buffer {
  const response = protocol.failureOf(request, "unavailable", "");
  if (protocol.name === "bolt") response.writeUInt16BE(0, 10);
  else response[3] = 20;
  return response;
}
