export { EpochLink, type HandedSocket } from "./epoch-link.ts";
export { listenHandedOver } from "./listen-handed-over.ts";
export type { EpochReport, SocketRequest } from "./messages.ts";
export { runReplaceable, type Serving, type ServingProcess } from "./run-replaceable.ts";
export { type ReplaceableModule, reportWhile, supervisedBy } from "./supervised.ts";
export { Supervisor, type SupervisorOptions } from "./supervisor.ts";
