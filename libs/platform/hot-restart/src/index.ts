export { EpochLink, type HandedSocket } from "./epoch-link.ts";
export { listenHandedOver } from "./listen-handed-over.ts";
export type { EpochReport, SocketRequest } from "./messages.ts";
export { supervise, type SuperviseOptions } from "./supervise.ts";
export { asEpoch, isEpoch, type ReplaceableModule, reportWhile, supervisedBy } from "./supervised.ts";
export { Supervisor, type SupervisorOptions } from "./supervisor.ts";
