export { type AdminAnswer, type AdminManners, type AdminPage, AdminServer } from "./admin-server.ts";
export { type AdsSettings, OperatedProxy, type OperatedProxyOptions } from "./operated-proxy.ts";
export { proxyPages, type ProxyPagesOptions } from "./proxy-pages.ts";
export { waitsForConfig } from "./readiness.ts";
export type { EpochFacts, ServerState } from "./server-stats.ts";
