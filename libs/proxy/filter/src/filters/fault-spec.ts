import type { HeaderMatch } from "@fairlead/proxy-router";

/** What goes wrong on purpose. Fractions are from 0 to 1. */
export interface FaultSpec {
  /** `ms` undefined: as the request's x-envoy-fault-delay-request says. */
  readonly delay?: { readonly ms: number | undefined; readonly fraction: number } | undefined;
  /** `httpStatus` undefined: as the request's x-envoy-fault-abort-request or -abort-grpc-request says. */
  readonly abort?:
    | { readonly httpStatus: number | undefined; readonly grpcStatus: number | undefined; readonly fraction: number }
    | undefined;
  /** KiB of the response's body in a second; undefined: as the request's x-envoy-fault-throughput-response says. */
  readonly responseRate?: { readonly kbps: number | undefined; readonly fraction: number } | undefined;
  /** Only requests to this cluster; "" for all. */
  readonly cluster: string;
  readonly headers: readonly HeaderMatch[];
  /** Requests that are delayed or aborted at the same time; others go untouched. @default Infinity */
  readonly maxActive: number;
}
