import { toJsonString } from "@bufbuild/protobuf";
import type { Listener } from "@fairlead/envoy-api/envoy/config/listener/v3/listener_pb.js";
import {
  type Filter,
  FilterChainMatchSchema,
} from "@fairlead/envoy-api/envoy/config/listener/v3/listener_components_pb.js";
import { repeated } from "./route-checks.ts";
import type { MessageCheck } from "./walk.ts";

function* listener({ name, address, apiListener, filterChains }: Listener): Generator<string> {
  if (name === "") yield "it has no name";
  if (address === undefined && apiListener === undefined) yield "it has no address";
  if (apiListener !== undefined) return;
  if (filterChains.length === 0) yield "it has no filter chain";
  const matches = filterChains.map(({ filterChainMatch }) =>
    filterChainMatch === undefined ? "" : toJsonString(FilterChainMatchSchema, filterChainMatch),
  );
  if (repeated(matches).length > 0) yield "two filter chains are for the same connections";
}

function* filter({ name, configType }: Filter): Generator<string> {
  if (name === "") yield "it has no name";
  if (configType.case === undefined) yield `${name} is not configured`;
}

export const listenerChecks: readonly (readonly [string, MessageCheck])[] = [
  ["envoy.config.listener.v3.Listener", listener],
  ["envoy.config.listener.v3.Filter", filter],
];
