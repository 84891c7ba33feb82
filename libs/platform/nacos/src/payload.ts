import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { NacosPayloadSchema } from "@fairlead/fairlead-api";
import { z } from "zod";

/** What Nacos calls a request or an answer: the name of a class, and its fields. */
export interface Message {
  readonly type: string;
  readonly body: Readonly<Record<string, unknown>>;
  /** Beside the body: the access token. */
  readonly headers?: Readonly<Record<string, string>>;
}

const fields = z.record(z.string(), z.unknown());

export function encodeMessage({ type, body, headers = {} }: Message): Buffer {
  const payload = create(NacosPayloadSchema, {
    metadata: { type, headers: { ...headers } },
    body: { value: Buffer.from(JSON.stringify(body)) },
  });
  return Buffer.from(toBinary(NacosPayloadSchema, payload));
}

/** @throws Error for what is no payload with a type and an object in JSON */
export function decodeMessage(bytes: Uint8Array): Message {
  const { metadata, body } = fromBinary(NacosPayloadSchema, bytes);
  if (metadata === undefined || metadata.type === "") throw new Error("a payload has no type");
  const text = Buffer.from(body?.value ?? new Uint8Array()).toString("utf8");
  const value: unknown = text === "" ? {} : JSON.parse(text);
  return { type: metadata.type, body: fields.parse(value), headers: metadata.headers };
}
