import {
  type HttpConnectionManager_UpgradeConfig as OfListener,
  HttpConnectionManager_UpgradeConfigSchema as OfListenerSchema,
} from "@fairlead/envoy-api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import {
  type RouteAction_UpgradeConfig as OfRoute,
  RouteAction_UpgradeConfig_ConnectConfigSchema as ConnectConfigSchema,
  RouteAction_UpgradeConfigSchema as OfRouteSchema,
} from "@fairlead/envoy-api/envoy/config/route/v3/route_components_pb.js";
import { refuseOthers, rejection } from "./rejection.ts";

/** By what is upgraded to, in lower case: whether it is allowed. */
export type Upgrades = ReadonlyMap<string, boolean>;

/** @returns undefined when nothing is said. @throws FairleadError FL_XDS_REJECTED */
export function readUpgrades(messages: readonly OfListener[], where: string): Upgrades | undefined {
  const upgrades = new Map<string, boolean>();
  for (const [i, message] of messages.entries()) {
    const field = `${where}[${i}].`;
    refuseOthers(OfListenerSchema, message, field, ["upgrade_type", "enabled"]);
    add(upgrades, message.upgradeType, message.enabled ?? true, field);
  }
  return upgrades.size === 0 ? undefined : upgrades;
}

export interface RouteUpgrades {
  readonly upgrades?: Upgrades | undefined;
  /** CONNECT ends here: its bytes go to the host as they are. */
  readonly endsConnect?: boolean;
}

/** @throws FairleadError FL_XDS_REJECTED */
export function readRouteUpgrades(messages: readonly OfRoute[], where: string): RouteUpgrades {
  const upgrades = new Map<string, boolean>();
  let endsConnect = false;
  for (const [i, message] of messages.entries()) {
    const field = `${where}[${i}].`;
    refuseOthers(OfRouteSchema, message, field, ["upgrade_type", "enabled", "connect_config"]);
    const kind = add(upgrades, message.upgradeType, message.enabled ?? true, field);
    if (message.connectConfig === undefined) continue;
    if (kind !== "connect") throw rejection(`${field}connect_config`, "is for CONNECT only");
    refuseOthers(ConnectConfigSchema, message.connectConfig, `${field}connect_config.`, []);
    endsConnect = true;
  }
  return upgrades.size === 0 ? {} : { upgrades, endsConnect };
}

function add(upgrades: Map<string, boolean>, type: string, enabled: boolean, field: string): string {
  const kind = type.toLowerCase();
  if (!/^[!#$%&'*+\-.^_`|~0-9a-z/]+$/.test(kind))
    throw rejection(`${field}upgrade_type`, "is not the name of a protocol");
  if (upgrades.has(kind)) throw rejection(`${field}upgrade_type`, `${type} is there twice`);
  upgrades.set(kind, enabled);
  return kind;
}
