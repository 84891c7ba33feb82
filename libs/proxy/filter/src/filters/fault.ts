import { compileHeader } from "@fairlead/proxy-router";
import type { RequestHead, ResponseHead } from "@fairlead/proxy-stream";
import { abortOf, delayOf, type FaultAbort, kbpsOf } from "./fault-request.ts";
import type { FaultSpec } from "./fault-spec.ts";
import { ThrottledBody } from "./throttled-body.ts";
import type { StreamFilter, StreamFilterCallbacks, StreamFilterFactory } from "../stream-filter.ts";

/** Ready to use; of a listener or of a route. */
export class FaultConfig {
  readonly spec: FaultSpec;
  readonly #headers: readonly ((head: RequestHead) => boolean)[];
  active = 0;

  /** @throws FairleadError FL_ROUTE_INVALID */
  constructor(spec: FaultSpec, where: string) {
    this.spec = spec;
    this.#headers = spec.headers.map((header, i) => compileHeader(header, `${where}headers[${i}]`));
  }

  get empty(): boolean {
    const { delay, abort, responseRate } = this.spec;
    return delay === undefined && abort === undefined && responseRate === undefined;
  }

  concerns(head: RequestHead, cluster: string): boolean {
    if (this.spec.cluster !== "" && this.spec.cluster !== cluster) return false;
    return this.#headers.every((matches) => matches(head));
  }
}

/** Delays requests and answers in place of the host, to find out how callers bear it. */
export function faultFilter(config: FaultConfig, name: string): StreamFilterFactory {
  return (callbacks) => {
    const own = callbacks.override(name)?.config;
    const effective = own instanceof FaultConfig ? own : config;
    return effective.empty ? undefined : new Fault(effective, callbacks);
  };
}

class Fault implements StreamFilter {
  readonly #config: FaultConfig;
  readonly #callbacks: StreamFilterCallbacks;
  #timer: NodeJS.Timeout | undefined;
  #active = false;
  /** What is aborted with; undefined = nothing. */
  #abort: FaultAbort | undefined;
  #kbps = 0;

  constructor(config: FaultConfig, callbacks: StreamFilterCallbacks) {
    this.#config = config;
    this.#callbacks = callbacks;
  }

  onRequestHead(head: RequestHead): "continue" | "stop" {
    const { spec } = this.#config;
    if (!this.#config.concerns(head, this.#callbacks.target?.name ?? "")) return "continue";
    if (this.#config.active >= spec.maxActive) {
      this.#callbacks.count("fault.faults_overflow");
      return "continue";
    }
    // What a request asks for is read before it can be changed.
    const random = (): number => this.#callbacks.random();
    this.#abort = abortOf(head, spec.abort, random);
    this.#kbps = kbpsOf(head, spec.responseRate, random);
    const delayMs = delayOf(head, spec.delay, random);
    if (delayMs > 0) {
      this.#begin("fault.delays_injected");
      this.#callbacks.info.flag("DI");
      this.#timer = setTimeout(() => this.#afterDelay(), delayMs);
      return "stop";
    }
    return this.#aborts() ? "stop" : "continue";
  }

  onResponseHead(head: ResponseHead, endStream: boolean): void {
    if (this.#kbps === 0 || endStream || head.local !== undefined) return;
    this.#begin("fault.response_rl_injected");
    this.#callbacks.transformResponse(new ThrottledBody(this.#kbps));
  }

  onDestroy(): void {
    clearTimeout(this.#timer);
    if (this.#active) this.#config.active--;
    this.#active = false;
  }

  #afterDelay(): void {
    if (!this.#aborts()) this.#callbacks.continueRequest();
  }

  #aborts(): boolean {
    const abort = this.#abort;
    if (abort === undefined) return false;
    this.#begin("fault.aborts_injected");
    this.#callbacks.sendLocalReply({
      status: abort.httpStatus,
      body: "fault filter abort",
      details: "fault_filter_abort",
      flag: "FI",
      ...(abort.grpcStatus === undefined ? {} : { grpcStatus: abort.grpcStatus }),
    });
    return true;
  }

  #begin(stat: string): void {
    this.#callbacks.count(stat);
    if (!this.#active) this.#config.active++;
    this.#active = true;
  }
}
