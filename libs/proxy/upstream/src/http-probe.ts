import {
  type ClientConnection,
  HeaderMap,
  type RequestHead,
  type ResetReason,
  type ResponseHead,
  type StreamReceiver,
  type StreamSender,
} from "@fairlead/proxy-stream";
import type { ConnectionPool, PoolWaiter } from "./connection-pool.ts";
import type { HealthCheck } from "./health-check-config.ts";
import type { Probe, ProbeResult } from "./probe.ts";

type HttpCheck = Extract<HealthCheck["kind"], { type: "http" }>;
type GrpcCheck = Extract<HealthCheck["kind"], { type: "grpc" }>;

const NO_BYTES = Buffer.alloc(0);

interface ProbeRequest {
  readonly head: RequestHead;
  readonly body: Buffer;
}

type Judge = (head: ResponseHead, body: Buffer, trailers: HeaderMap | undefined) => ProbeResult;

/** One request to a host through its pool, and what is thought of the answer. */
export class HttpProbe implements Probe, PoolWaiter, StreamReceiver<ResponseHead> {
  readonly fresh = false;
  readonly #pool: ConnectionPool;
  readonly #request: ProbeRequest;
  readonly #judge: Judge;
  readonly #done: (result: ProbeResult) => void;
  #sender: StreamSender<RequestHead> | undefined;
  #head: ResponseHead | undefined;
  #body: Buffer[] = [];
  #bodyBytes = 0;
  #over = false;

  private constructor(pool: ConnectionPool, request: ProbeRequest, judge: Judge, done: (result: ProbeResult) => void) {
    this.#pool = pool;
    this.#request = request;
    this.#judge = judge;
    this.#done = done;
    pool.acquire(this);
  }

  static http(pool: ConnectionPool, check: HttpCheck, done: (result: ProbeResult) => void): HttpProbe {
    const within = (ranges: HttpCheck["expected"], status: number): boolean =>
      ranges.some(([start, end]) => status >= start && status < end);
    const head: RequestHead = {
      method: check.method,
      path: check.path,
      authority: check.host,
      scheme: "http",
      headers: new HeaderMap([...check.headers]),
    };
    return new HttpProbe(
      pool,
      { head, body: NO_BYTES },
      ({ status, headers }) => {
        if (within(check.expected, status)) return headers.has("x-envoy-degraded") ? "degraded" : "pass";
        // As in Envoy only of an answer that does not pass.
        if (headers.has("x-envoy-immediate-health-check-fail")) return "excluded";
        return within(check.retriable, status) ? "failure" : "bad answer";
      },
      done,
    );
  }

  /** grpc.health.v1.Health/Check */
  static grpc(pool: ConnectionPool, check: GrpcCheck, done: (result: ProbeResult) => void): HttpProbe {
    const message = checkRequest(check.service);
    const prefix = Buffer.alloc(5);
    prefix.writeUInt32BE(message.length, 1);
    const head: RequestHead = {
      method: "POST",
      path: "/grpc.health.v1.Health/Check",
      authority: check.authority,
      scheme: "http",
      headers: new HeaderMap([
        "content-type",
        "application/grpc",
        "te",
        "trailers",
        "user-agent",
        "fairlead/health-check",
      ]),
    };
    return new HttpProbe(
      pool,
      { head, body: Buffer.concat([prefix, message]) },
      ({ status, headers }, body, trailers) => {
        const code = trailers?.get("grpc-status") ?? headers.get("grpc-status");
        if (status !== 200 || code !== "0") return "bad answer";
        // HealthCheckResponse.status = SERVING: field 1, a varint.
        return body.length >= 7 && body[5] === 0x08 && body[6] === 1 ? "pass" : "bad answer";
      },
      done,
    );
  }

  cancel(): void {
    if (this.#over) return;
    this.#over = true;
    if (this.#sender === undefined) this.#pool.cancel(this);
    else this.#sender.reset("local reset");
  }

  onConnection(connection: ClientConnection): void {
    const { head, body } = this.#request;
    const sender = connection.openStream(this);
    this.#sender = sender;
    sender.sendHead(head, body.length === 0);
    if (body.length > 0) sender.sendData(body, true);
  }

  onFailure(): void {
    this.#end("network failure");
  }

  onHead(head: ResponseHead, endStream: boolean): void {
    if (head.status < 200) return;
    this.#head = head;
    if (endStream) this.#end(this.#judge(head, NO_BYTES, undefined));
  }

  onData(chunk: Buffer, endStream: boolean): void {
    if (this.#over) return;
    this.#bodyBytes += chunk.length;
    if (this.#bodyBytes > MAX_BODY_BYTES) {
      this.cancel();
      this.#done("network failure");
      return;
    }
    // The first bytes say it all.
    if (this.#body.length < MAX_CHUNKS) this.#body.push(chunk);
    if (endStream) this.onTrailers(undefined);
  }

  onTrailers(trailers: HeaderMap | undefined): void {
    if (this.#head !== undefined) this.#end(this.#judge(this.#head, Buffer.concat(this.#body), trailers));
  }

  onReset(_reason: ResetReason): void {
    this.#end("network failure");
  }

  onWriteBlocked(): void {}

  onWritable(): void {}

  #end(result: ProbeResult): void {
    if (this.#over) return;
    this.#over = true;
    this.#done(result);
  }
}

const MAX_CHUNKS = 16;
/** Of what is not looked at: a host that sends without an end would keep the thread busy until the check's time is over. */
const MAX_BODY_BYTES = 16 * 1024 * 1024;

/** HealthCheckRequest.service: field 1, a string. */
function checkRequest(service: string): Buffer {
  const name = Buffer.from(service);
  if (name.length === 0) return NO_BYTES;
  const tagAndLength = [0x0a];
  let rest = name.length;
  for (; rest > 0x7f; rest >>>= 7) tagAndLength.push((rest & 0x7f) | 0x80);
  return Buffer.concat([Buffer.from([...tagAndLength, rest]), name]);
}
