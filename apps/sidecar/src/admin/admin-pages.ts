import type { HttpApiOptions } from "@fairlead/http-api";
import { type AdminPage, proxyPages, type ProxyPagesOptions } from "@fairlead/proxy-admin";

export interface AdminPagesOptions extends Omit<ProxyPagesOptions, "program" | "serveMetrics"> {
  readonly telemetry: HttpApiOptions["telemetry"];
}

/** The pages of the sidecar's admin port. */
export function adminPages({ telemetry, ...options }: AdminPagesOptions): Readonly<Record<string, AdminPage>> {
  return proxyPages({
    ...options,
    program: "sidecar",
    serveMetrics: (request, response) => telemetry.serveMetrics(request, response),
  });
}
