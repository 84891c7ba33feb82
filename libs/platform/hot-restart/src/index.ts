export { EpochLink, type HandedSocket } from "./epoch-link.ts";
export { listenHandedOver } from "./listen-handed-over.ts";
export type { EpochReport, SocketRequest } from "./messages.ts";
export { type Serving, type ServingProcess, superviseOrServe } from "./supervise-or-serve.ts";
export { type ReplaceableModule, reportWhile, supervisedBy } from "./supervised.ts";
export { Supervisor, type SupervisorOptions } from "./supervisor.ts";
