import { fromBinary } from "@bufbuild/protobuf";
import { ConnectionLimitSchema } from "@fairlead/envoy-api/envoy/extensions/filters/network/connection_limit/v3/connection_limit_pb.js";
import { type NetworkFilter, registerNetworkFilter } from "@fairlead/proxy-filter";
import { commonGauges } from "@fairlead/stat-cells";
import { durationMs } from "../translate/duration.ts";
import { refuseOthers, rejection } from "../translate/rejection.ts";

export interface ConnectionLimitOptions {
  readonly statPrefix: string;
  /** Of one filter chain, in all threads. */
  readonly maxConnections: number;
  /** How long one too many is left waiting before it is closed: who tries again at once is slowed down. @default 0 */
  readonly delayMs: number;
}

/** Closes the connections that are too many for a filter chain. */
export function connectionLimit({ statPrefix, maxConnections, delayMs }: ConnectionLimitOptions): NetworkFilter {
  const stat = `connection_limit.${statPrefix}`;
  const active = commonGauges(1);
  return {
    onConnection(_facts, callbacks) {
      if (active.total(0) < maxConnections) {
        active.add(0, 1);
        callbacks.count(`${stat}.active_connections`);
        callbacks.onClosed(() => {
          active.add(0, -1);
          callbacks.count(`${stat}.active_connections`, -1);
        });
        return true;
      }
      callbacks.count(`${stat}.limited_connections`);
      if (delayMs === 0) callbacks.close();
      else {
        const timer = setTimeout(() => callbacks.close(), delayMs);
        timer.unref();
        callbacks.onClosed(() => clearTimeout(timer));
      }
      return false;
    },
  };
}

registerNetworkFilter(`type.googleapis.com/${ConnectionLimitSchema.typeName}`, (config, where) => {
  const message = fromBinary(ConnectionLimitSchema, config);
  refuseOthers(ConnectionLimitSchema, message, where, ["stat_prefix", "max_connections", "delay"]);
  const { maxConnections } = message;
  if (message.statPrefix === "") throw rejection(`${where}stat_prefix`, "is empty");
  if (maxConnections === undefined || maxConnections < 1n) throw rejection(`${where}max_connections`, "is less than 1");
  return connectionLimit({
    statPrefix: message.statPrefix,
    maxConnections: Number(maxConnections),
    delayMs: durationMs(message.delay, 0, `${where}delay`),
  });
});
