export { EpochLink, type HandedSocket } from "./epoch-link.ts";
export type { EpochReport, SocketRequest } from "./messages.ts";
export { isEpoch, runSupervisor, supervisedBy, type SupervisorSettings } from "./run-supervised.ts";
export { Supervisor, type SupervisorOptions } from "./supervisor.ts";
