import type { SnapshotReplica } from "@fairlead/snapshot";
import type { ConnectionTable } from "../connection-table.ts";
import type { PushStatus } from "../push-status.ts";

/** What the debug pages read. */
export interface DebugSources {
  readonly gatewayId: string;
  readonly table: ConnectionTable;
  readonly replica: SnapshotReplica;
  readonly pushStatus: () => PushStatus;
}
