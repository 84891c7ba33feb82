import { type Any, anyUnpack } from "@bufbuild/protobuf/wkt";
import { FilterConfigSchema } from "@fairlead/envoy-api/envoy/config/route/v3/route_components_pb.js";
import { routeConfigReader } from "@fairlead/proxy-filter";
import { type FilterOverride, type FilterOverrides, noOverrides } from "@fairlead/proxy-router";
// Routes are also read without a listener.
import "./filters/index.ts";
import { rejection } from "./rejection.ts";

/**
 * `typed_per_filter_config`: what a level of the routes says about filters of the listener, by their names there.
 *
 * @throws FairleadError FL_XDS_REJECTED
 */
export function readFilterOverrides(message: Readonly<Record<string, Any>>, where: string): FilterOverrides {
  const overrides = new Map<string, FilterOverride>();
  for (const [name, any] of Object.entries(message)) {
    const override = readOverride(any, `${where}typed_per_filter_config[${name}]`);
    if (override !== undefined) overrides.set(name, override);
  }
  return overrides.size === 0 ? noOverrides : overrides;
}

/** @returns undefined for an optional filter that this proxy does not have */
function readOverride(any: Any, field: string): FilterOverride | undefined {
  const wrapper = anyUnpack(any, FilterConfigSchema);
  if (wrapper === undefined) return { disabled: false, config: readConfig(any, field, false)?.config };
  if (wrapper.disabled) return { disabled: true, config: undefined };
  if (wrapper.config === undefined) return { disabled: false, config: undefined };
  const read = readConfig(wrapper.config, field, wrapper.isOptional);
  return read === undefined ? undefined : { disabled: false, config: read.config };
}

function readConfig(any: Any, field: string, optional: boolean): { readonly config: unknown } | undefined {
  const read = routeConfigReader(any.typeUrl);
  if (read !== undefined) return { config: read(any.value, `${field}.`) };
  if (optional) return undefined;
  throw rejection(field, `${any.typeUrl} is not supported by this proxy`);
}
