import { compileHeader, type HeaderMatch } from "@fairlead/proxy-router";
import type { LocalReply } from "../local-reply.ts";
import type { StreamFilterFactory } from "../stream-filter.ts";

export interface HealthCheckSpec {
  /** Health checks go on to the application; false: the proxy answers. */
  readonly passThrough: boolean;
  /** What makes a request one: all of them. */
  readonly headers: readonly HeaderMatch[];
}

const failed: LocalReply = {
  status: 503,
  body: "",
  details: "health_check_failed",
  flag: "LH",
  headers: ["x-envoy-immediate-health-check-fail", "true"],
};

/** @throws FairleadError FL_ROUTE_INVALID */
export function healthCheckFilter(spec: HealthCheckSpec, where: string): StreamFilterFactory {
  const tests = spec.headers.map((header, i) => compileHeader(header, `${where}headers[${i}]`));
  if (spec.passThrough) return () => undefined;
  return (callbacks) => ({
    onRequestHead(head) {
      if (!tests.every((matches) => matches(head))) return "continue";
      callbacks.sendLocalReply(callbacks.healthFailed ? failed : { status: 200, body: "", details: "health_check_ok" });
      return "stop";
    },
  });
}
