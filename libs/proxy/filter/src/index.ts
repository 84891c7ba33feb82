export { ConnectionManager, type ConnectionManagerContext } from "./connection-manager.ts";
export { type ConnectionManagerConfig, connectionManagerDefaults } from "./connection-manager-config.ts";
export { HttpStats } from "./http-stats.ts";
export { type LocalReply } from "./local-reply.ts";
export {
  type FilterStatus,
  registerStreamFilter,
  type StreamFilter,
  type StreamFilterCallbacks,
  type StreamFilterFactory,
  type StreamFilterReader,
  streamFilterReader,
} from "./stream-filter.ts";
export { type ResponseFlag, StreamInfo } from "./stream-info.ts";
