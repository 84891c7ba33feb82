import { MAX_ATTACHMENTS, rpcError, type RpcCall } from "@fairlead/codec-rpc";
import { FairleadError } from "@fairlead/errors";
import { argumentCount } from "./argument-count.ts";
import { Fastjson2BodyReader } from "./fastjson2-body.ts";
import { HEAD_BYTES, serializationOf } from "./frame-layout.ts";
import { HessianBodyReader } from "./hessian-body.ts";
import { type BodyReader, FASTJSON2, HESSIAN2, serializationName } from "./serialization.ts";

const readers = new Map<number, BodyReader>([
  [HESSIAN2, new HessianBodyReader()],
  [FASTJSON2, new Fastjson2BodyReader()],
]);

/** What Dubbo sends for no version. */
const noVersion = "0.0.0";
const genericMethods: ReadonlySet<string> = new Set(["$invoke", "$invokeAsync"]);

interface Attachments {
  readonly pairs: readonly (readonly [name: string, value: string])[];
  /** Where they begin in the frame. */
  readonly start: number;
  /** Whether there is a map, and not null or nothing. */
  readonly present: boolean;
}

/**
 * A Dubbo call. The five strings before the arguments are read at once; the attachments behind them when one is asked for, as all
 * arguments have to be skipped for it.
 */
export class DubboCall implements RpcCall {
  /** What the client calls the path: the interface, unless the service has a path of its own. */
  readonly service: string = "";
  readonly method: string = "";
  readonly version: string = "";
  readonly serialization: string;
  readonly readable: boolean;
  readonly #frame: Buffer;
  readonly #reader: BodyReader | undefined;
  #arguments: { readonly start: number; readonly count: number } = { start: HEAD_BYTES, count: 0 };
  #attachments: Attachments | undefined;

  /** @throws FairleadError FL_RPC_BODY_UNREADABLE */
  constructor(frame: Buffer) {
    const id = serializationOf(frame);
    this.serialization = serializationName(id);
    this.#frame = frame;
    const reader = readers.get(id);
    this.#reader = reader;
    this.readable = reader !== undefined;
    if (reader === undefined) return;
    try {
      reader.begin(frame, HEAD_BYTES, frame.length);
      reader.readString();
      this.service = reader.readString() ?? "";
      if (this.service === "") throw rpcError("FL_RPC_BODY_UNREADABLE", "dubbo", "the call names no service");
      const version = reader.readString() ?? "";
      this.version = version === noVersion ? "" : version;
      const method = reader.readString() ?? "";
      const descriptor = reader.readString() ?? "";
      this.#arguments = { start: reader.at, count: argumentCount(descriptor) };
      // A generic call names its method in the first argument.
      this.method = genericMethods.has(method) ? (reader.readString() ?? method) : method;
    } catch (error) {
      throw unreadable(this.serialization, error);
    }
  }

  get group(): string {
    return this.attachment("group") ?? "";
  }

  get timeoutMs(): number | undefined {
    const ms = Number(this.attachment("_TO") ?? this.attachment("timeout"));
    return Number.isInteger(ms) && ms > 0 ? ms : undefined;
  }

  attachment(name: string): string | undefined {
    // Dubbo takes the last of several.
    return this.#readAttachments().pairs.findLast(([key]) => key === name)?.[1];
  }

  attachments(): Attachments["pairs"] {
    return this.#readAttachments().pairs;
  }

  /** Where the attachments are, in the frame; undefined when the serialization cannot be read. */
  get attachmentsAt(): { readonly start: number; readonly present: boolean } | undefined {
    return this.readable ? this.#readAttachments() : undefined;
  }

  #readAttachments(): Attachments {
    if (this.#attachments !== undefined) return this.#attachments;
    const reader = this.#reader;
    if (reader === undefined) return { pairs: [], start: this.#frame.length, present: false };
    try {
      reader.begin(this.#frame, this.#arguments.start, this.#frame.length);
      for (let i = 0; i < this.#arguments.count; i++) reader.skip();
      const start = reader.at;
      const present = reader.beginMap();
      const pairs: (readonly [string, string])[] = [];
      if (present) {
        while (!reader.endMap()) {
          const name = reader.readText();
          const value = reader.readText();
          if (name !== undefined && value !== undefined) pairs.push([name, value]);
          if (pairs.length > MAX_ATTACHMENTS) {
            throw rpcError("FL_RPC_BODY_UNREADABLE", "dubbo", `more than ${MAX_ATTACHMENTS} attachments`);
          }
        }
      }
      if (reader.at !== this.#frame.length) {
        throw rpcError(
          "FL_RPC_BODY_UNREADABLE",
          "dubbo",
          `${this.#frame.length - reader.at} bytes behind the attachments`,
        );
      }
      this.#attachments = { pairs, start, present };
      return this.#attachments;
    } catch (error) {
      throw unreadable(this.serialization, error);
    }
  }
}

function unreadable(serialization: string, error: unknown): Error {
  if (error instanceof FairleadError && error.code === "FL_RPC_BODY_UNREADABLE") return error;
  const reason = error instanceof Error ? error.message : String(error);
  return rpcError("FL_RPC_BODY_UNREADABLE", "dubbo", `the body is no ${serialization}: ${reason}`, error);
}
