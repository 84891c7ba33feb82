import { boltProtocol } from "@fairlead/codec-bolt";
import { dubboProtocol } from "@fairlead/codec-dubbo";
import { hessian2String } from "@fairlead/codec-hessian";
import type { RpcProtocol } from "@fairlead/codec-rpc";

export const service = "bench.Service";
/** Of a request and of an answer, whole. */
export const frameBytes = 1024;

export interface BenchProtocol {
  readonly protocol: RpcProtocol;
  readonly request: Buffer;
  readonly answer: Buffer;
}

function dubboRequest(): Buffer {
  const attachments = ["path", service, "interface", service, "version", "1.0.0", "timeout", "3000", "group", "blue"];
  const tail = Buffer.concat([Buffer.from("H"), ...attachments.map(hessian2String), Buffer.from("Z")]);
  const named = ["2.0.2", service, "1.0.0", "greet", "Ljava/lang/String;"].map(hessian2String);
  const around = 16 + Buffer.concat([...named, tail]).length;
  // Longer strings have two bytes of length.
  const body = Buffer.concat([...named, hessian2String("x".repeat(frameBytes - around - 2)), tail]);
  const head = Buffer.alloc(16);
  head.writeUInt32BE(0xdabbc200);
  head.writeUInt32BE(body.length, 12);
  return Buffer.concat([head, body]);
}

function dubboAnswer(): Buffer {
  const answer = Buffer.alloc(frameBytes);
  answer.writeUInt32BE(0xdabb0214);
  answer.writeUInt32BE(frameBytes - 16, 12);
  answer[16] = 0x91;
  return answer;
}

function boltRequest(): Buffer {
  const bare = boltProtocol.heartbeat(1);
  bare.writeUInt16BE(1, 2);
  bare.writeInt32BE(3000, 10);
  const headers = boltProtocol.withAttachments(boltProtocol.frameOf(bare), [
    ["service", `${service}:1.0`],
    ["sofa_head_target_service", `${service}:1.0`],
    ["sofa_head_method_name", "greet"],
    ["sofa_head_target_app", "app"],
  ]);
  const content = Buffer.alloc(frameBytes - headers.length);
  headers.writeUInt32BE(content.length, 18);
  return Buffer.concat([headers, content]);
}

function boltAnswer(): Buffer {
  const answer = Buffer.alloc(frameBytes);
  answer.set([1, 0, 0, 2, 1]);
  answer[9] = 1;
  answer.writeUInt32BE(frameBytes - 20, 16);
  return answer;
}

export const benchProtocols: Readonly<Record<"bolt" | "dubbo", BenchProtocol>> = {
  bolt: { protocol: boltProtocol, request: boltRequest(), answer: boltAnswer() },
  dubbo: { protocol: dubboProtocol, request: dubboRequest(), answer: dubboAnswer() },
};
