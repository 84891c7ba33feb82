export { type ConnectString, parseConnectString, type ServerAddress } from "./connect-string.ts";
export type { WatchEventType } from "./connection.ts";
export type { TreeShape } from "./one-shot-tree.ts";
export type { NodeStat } from "./operations.ts";
export {
  ZooKeeperClient,
  type ZooKeeperEvents,
  type ZooKeeperOptions,
  type ZooKeeperState,
} from "./zookeeper-client.ts";
export { isRefusal, type Refusal } from "./zookeeper-error.ts";
