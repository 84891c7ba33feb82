import { anyUnpack } from "@bufbuild/protobuf/wkt";
import type { TypedExtensionConfig } from "@fairlead/envoy-api/envoy/config/core/v3/extension_pb.js";
import { HeaderMutationSchema } from "@fairlead/envoy-api/envoy/extensions/http/early_header_mutation/header_mutation/v3/header_mutation_pb.js";
import type { RequestRule } from "@fairlead/proxy-filter";
import { applyMutation } from "@fairlead/proxy-router";
import { readMutationList } from "./mutation-list.ts";
import { refuseOthers, rejection } from "./rejection.ts";

/** Changes that a listener makes before it looks for the route, so that routes see them. @throws FairleadError FL_XDS_REJECTED */
export function readEarlyMutations(extensions: readonly TypedExtensionConfig[], where: string): RequestRule[] {
  const mutations = extensions.flatMap(({ typedConfig }, i) => {
    const field = `${where}early_header_mutation_extensions[${i}].typed_config`;
    const message = typedConfig === undefined ? undefined : anyUnpack(typedConfig, HeaderMutationSchema);
    if (message === undefined) throw rejection(field, `${typedConfig?.typeUrl ?? "nothing"} is not supported`);
    refuseOthers(HeaderMutationSchema, message, `${field}.`, ["mutations"]);
    if (message.mutations.length === 0) throw rejection(`${field}.mutations`, "is empty");
    return readMutationList(message.mutations, `${field}.mutations`);
  });
  if (mutations.length === 0) return [];
  return [
    ({ headers }, info) => {
      for (const mutation of mutations) applyMutation(mutation, headers, info);
      return undefined;
    },
  ];
}
