import { create, type DescMessage } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
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

/** The chain of every listener. */
export function httpFilters(_audience: Audience): HttpFilter[] {
  return [filter(routerFilterName, RouterSchema)];
}
