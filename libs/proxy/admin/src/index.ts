export { type AdminAnswer, type AdminPage, AdminServer, type AdminManners } from "./admin-server.ts";
export { proxyPages, type ProxyPagesOptions } from "./proxy-pages.ts";
export { serverStateOf, waitsForConfig, warmsBeforeTakeover } from "./readiness.ts";
export { countersOf, type EpochFacts, openConnections, type ServerState, statsOf } from "./server-stats.ts";
