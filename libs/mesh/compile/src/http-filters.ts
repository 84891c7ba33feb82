import { create, type DescMessage } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { CorsSchema } from "@fairlead/envoy-api/envoy/extensions/filters/http/cors/v3/cors_pb.js";
import { HTTPFaultSchema } from "@fairlead/envoy-api/envoy/extensions/filters/http/fault/v3/fault_pb.js";
import { RouterSchema } from "@fairlead/envoy-api/envoy/extensions/filters/http/router/v3/router_pb.js";
import {
  type HttpFilter,
  HttpFilterSchema,
} from "@fairlead/envoy-api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import type { Audience } from "./audience.ts";

export const corsFilterName = "envoy.filters.http.cors";
export const faultFilterName = "envoy.filters.http.fault";
const routerFilterName = "envoy.filters.http.router";

function filter(name: string, schema: DescMessage): HttpFilter {
  return create(HttpFilterSchema, {
    name,
    configType: { case: "typedConfig", value: anyPack(schema, create(schema)) },
  });
}

/**
 * The chain of every listener, whatever its routes: so a route that begins to use one changes no listener. Without configuration of a
 * route they do nothing. A preflight is answered before a fault could be put in.
 */
export function httpFilters(audience: Audience): HttpFilter[] {
  return [
    ...(audience === "proxies" ? [filter(corsFilterName, CorsSchema)] : []),
    filter(faultFilterName, HTTPFaultSchema),
    filter(routerFilterName, RouterSchema),
  ];
}
