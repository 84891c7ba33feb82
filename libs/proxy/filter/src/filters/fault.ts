import { compileHeader, type HeaderMatch } from "@fairlead/proxy-router";
import type { RequestHead } from "@fairlead/proxy-stream";
import type { StreamFilter, StreamFilterCallbacks, StreamFilterFactory } from "../stream-filter.ts";

/** What goes wrong on purpose. Fractions are from 0 to 1. */
export interface FaultSpec {
  readonly delay?: { readonly ms: number; readonly fraction: number } | undefined;
  readonly abort?:
    { readonly httpStatus: number; readonly grpcStatus: number | undefined; readonly fraction: number } | undefined;
  /** Only requests to this cluster; "" for all. */
  readonly cluster: string;
  readonly headers: readonly HeaderMatch[];
  /** Requests that are delayed or aborted at the same time; others go untouched. @default Infinity */
  readonly maxActive: number;
}

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
    return this.spec.delay === undefined && this.spec.abort === undefined;
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
    if (spec.delay !== undefined && this.#callbacks.random() < spec.delay.fraction) {
      this.#begin("fault.delays_injected");
      this.#callbacks.info.flag("DI");
      this.#timer = setTimeout(() => this.#afterDelay(), spec.delay.ms);
      return "stop";
    }
    return this.#abort() ? "stop" : "continue";
  }

  onDestroy(): void {
    clearTimeout(this.#timer);
    if (this.#active) this.#config.active--;
    this.#active = false;
  }

  #afterDelay(): void {
    if (!this.#abort()) this.#callbacks.continueRequest();
  }

  #abort(): boolean {
    const { abort } = this.#config.spec;
    if (abort === undefined || this.#callbacks.random() >= abort.fraction) return false;
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
