import { create } from "@bufbuild/protobuf";
import { type Any, anyPack } from "@bufbuild/protobuf/wkt";
import {
  HttpConnectionManager_CodecType,
  HttpConnectionManagerSchema,
} from "@fairlead/envoy-api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import { adsConfigSource } from "./ads-config-source.ts";
import { httpFilters } from "./http-filters.ts";

/**
 * @param routeName the route configuration, by RDS over the same stream
 * @param paths `canonical`: one canonical path for routing and policy, as every proxy should have; `asGiven` for proxyless clients,
 * which refuse options that they do not know
 */
export function httpConnectionManager(statPrefix: string, routeName: string, paths: "canonical" | "asGiven"): Any {
  const manager = create(HttpConnectionManagerSchema, {
    statPrefix,
    codecType: HttpConnectionManager_CodecType.AUTO,
    routeSpecifier: { case: "rds", value: { configSource: adsConfigSource(), routeConfigName: routeName } },
    httpFilters: httpFilters(paths === "canonical" ? "proxies" : "grpcClients"),
    // WebSocket works for every HTTP service without a word about it, as in Istio.
    ...(paths === "canonical"
      ? { normalizePath: true, mergeSlashes: true, upgradeConfigs: [{ upgradeType: "websocket" }] }
      : {}),
  });
  return anyPack(HttpConnectionManagerSchema, manager);
}
