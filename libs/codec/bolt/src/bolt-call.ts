import type { RpcCall } from "@fairlead/codec-rpc";
import { codecAt, type FrameParts, partsOf, timeoutAt } from "./frame-layout.ts";
import { type BoltHeader, readHeaders } from "./header-block.ts";
import { readSofaRequest, type SofaRequest } from "./sofa-request.ts";

const hessian = 1;
const serializations: Readonly<Record<number, string>> = {
  [hessian]: "hessian2",
  11: "protobuf",
  12: "json",
  13: "msgpack",
  14: "protostuff",
  22: "fury2",
  23: "fory",
};
const requestClass = "com.alipay.sofa.rpc.core.request.SofaRequest";

/**
 * A bolt call. Java writes what routing needs into the headers; other clients write only `service` there, and the method is read from
 * the content, where that is a SofaRequest in Hessian.
 */
export class BoltCall implements RpcCall {
  readonly service: string;
  readonly version: string;
  /** SOFA's unique id. */
  readonly group: string;
  readonly timeoutMs: number | undefined;
  readonly serialization: string;
  readonly readable: boolean;
  readonly #frame: Buffer;
  readonly #parts: FrameParts;
  readonly #headers: readonly BoltHeader[];
  #content: SofaRequest | undefined;

  /** @throws FairleadError FL_RPC_BODY_UNREADABLE */
  constructor(frame: Buffer) {
    this.#frame = frame;
    this.#parts = partsOf(frame);
    this.#headers = readHeaders(frame, this.#parts.headerStart, this.#parts.contentStart);
    const codec = frame[codecAt(frame)]!;
    this.serialization = serializations[codec] ?? `bolt-codec-${codec}`;
    const timeoutMs = frame.readInt32BE(timeoutAt(frame));
    this.timeoutMs = timeoutMs > 0 ? timeoutMs : undefined;
    const target =
      this.#header("sofa_head_target_service") ?? this.#header("service") ?? this.#sofaRequest()?.targetService ?? "";
    const [service, version = "", group = ""] = target.split(":", 3);
    this.service = service!;
    this.version = version;
    this.group = group;
    this.readable = this.service !== "";
  }

  get method(): string {
    return this.#header("sofa_head_method_name") ?? this.#sofaRequest()?.methodName ?? "";
  }

  attachment(name: string): string | undefined {
    return this.#header(name) ?? this.#sofaRequest()?.props.find(([key]) => key === name)?.[1];
  }

  attachments(): readonly BoltHeader[] {
    const props = this.#sofaRequest()?.props ?? [];
    // A set, as a client decides how many of both there are.
    const known = new Set(this.#headers.map(([name]) => name));
    return [...this.#headers, ...props.filter(([name]) => !known.has(name))];
  }

  #header(name: string): string | undefined {
    for (const header of this.#headers) if (header[0] === name) return header[1];
    return undefined;
  }

  #sofaRequest(): SofaRequest | undefined {
    const { classStart, headerStart, contentStart, contentEnd } = this.#parts;
    if (this.serialization !== "hessian2" || this.#frame.toString("latin1", classStart, headerStart) !== requestClass)
      return undefined;
    return (this.#content ??= readSofaRequest(this.#frame, contentStart, contentEnd));
  }
}
