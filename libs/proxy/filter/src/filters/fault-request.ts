import type { RequestHead } from "@fairlead/proxy-stream";
import type { FaultSpec } from "./fault-spec.ts";

export interface FaultAbort {
  readonly httpStatus: number;
  readonly grpcStatus: number | undefined;
}

type Random = () => number;

/** @returns milliseconds; 0 = none */
export function delayOf(head: RequestHead, delay: FaultSpec["delay"], random: Random): number {
  if (delay === undefined) return 0;
  const ms = delay.ms ?? numberOf(head, "x-envoy-fault-delay-request") ?? 0;
  const header = delay.ms === undefined ? "x-envoy-fault-delay-request-percentage" : undefined;
  return ms > 0 && happens(head, header, delay.fraction, random) ? ms : 0;
}

export function abortOf(head: RequestHead, abort: FaultSpec["abort"], random: Random): FaultAbort | undefined {
  if (abort === undefined) return undefined;
  const wanted = abort.httpStatus === undefined ? askedAbort(head) : { ...abort, httpStatus: abort.httpStatus };
  if (wanted === undefined) return undefined;
  const header = abort.httpStatus === undefined ? "x-envoy-fault-abort-request-percentage" : undefined;
  return happens(head, header, abort.fraction, random) ? wanted : undefined;
}

/** @returns KiB in a second; 0 = any number */
export function kbpsOf(head: RequestHead, rate: FaultSpec["responseRate"], random: Random): number {
  if (rate === undefined) return 0;
  const kbps = rate.kbps ?? numberOf(head, "x-envoy-fault-throughput-response") ?? 0;
  const header = rate.kbps === undefined ? "x-envoy-fault-throughput-response-percentage" : undefined;
  return kbps > 0 && happens(head, header, rate.fraction, random) ? kbps : 0;
}

function askedAbort(head: RequestHead): FaultAbort | undefined {
  const grpcStatus = numberOf(head, "x-envoy-fault-abort-grpc-request");
  if (grpcStatus !== undefined && grpcStatus <= 16) return { httpStatus: 200, grpcStatus };
  const httpStatus = numberOf(head, "x-envoy-fault-abort-request");
  if (httpStatus === undefined || httpStatus < 200 || httpStatus > 599) return undefined;
  return { httpStatus, grpcStatus: undefined };
}

/**
 * A request may ask for less than the configuration, and never for more.
 *
 * @param header with the percentage; undefined where requests have no say
 */
function happens(head: RequestHead, header: string | undefined, most: number, random: Random): boolean {
  const asked = header === undefined ? undefined : numberOf(head, header);
  return random() < (asked === undefined ? most : Math.min(asked / 100, most));
}

function numberOf(head: RequestHead, name: string): number | undefined {
  const text = head.headers.get(name);
  return text !== undefined && /^\d{1,7}$/.test(text) ? Number(text) : undefined;
}
