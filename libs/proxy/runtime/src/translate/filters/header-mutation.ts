import { fromBinary } from "@bufbuild/protobuf";
import type { HeaderMutation as MutationMessage } from "@fairlead/envoy-api/envoy/config/common/mutation_rules/v3/mutation_rules_pb.js";
import {
  HeaderMutationPerRouteSchema,
  HeaderMutationSchema,
  type Mutations,
} from "@fairlead/envoy-api/envoy/extensions/filters/http/header_mutation/v3/header_mutation_pb.js";
import {
  HeaderMutationConfig,
  headerMutationFilter,
  registerRouteConfig,
  registerStreamFilter,
} from "@fairlead/proxy-filter";
import type { HeaderMutation } from "@fairlead/proxy-router";
import { readMutation } from "../header-mutations.ts";
import { refuseOthers, rejection } from "../rejection.ts";
import { typeUrlOf } from "./type-url.ts";

function readList(messages: readonly MutationMessage[], where: string): HeaderMutation[] {
  return messages.flatMap(({ action }, i) => {
    const field = `${where}[${i}].header`;
    if (action.case === "remove") return readMutation([], [action.value], field) ?? [];
    if (action.case === "append") return readMutation([action.value], [], field) ?? [];
    throw rejection(`${where}[${i}]`, "has neither remove nor append");
  });
}

function read(message: Mutations | undefined, where: string): HeaderMutationConfig {
  return new HeaderMutationConfig(
    readList(message?.requestMutations ?? [], `${where}mutations.request_mutations`),
    readList(message?.responseMutations ?? [], `${where}mutations.response_mutations`),
  );
}

registerStreamFilter(typeUrlOf(HeaderMutationSchema), (bytes, { name, where }) => {
  const message = fromBinary(HeaderMutationSchema, bytes);
  refuseOthers(HeaderMutationSchema, message, where, ["mutations"]);
  return headerMutationFilter(read(message.mutations, where), name);
});
registerRouteConfig(typeUrlOf(HeaderMutationPerRouteSchema), (bytes, where) =>
  read(fromBinary(HeaderMutationPerRouteSchema, bytes).mutations, where),
);
