import { fromBinary } from "@bufbuild/protobuf";
import {
  HeaderMutationPerRouteSchema,
  HeaderMutationSchema,
  type Mutations,
  MutationsSchema,
} from "@fairlead/envoy-api/envoy/extensions/filters/http/header_mutation/v3/header_mutation_pb.js";
import {
  HeaderMutationConfig,
  headerMutationFilter,
  registerRouteConfig,
  registerStreamFilter,
} from "@fairlead/proxy-filter";
import { readMutationList } from "../mutation-list.ts";
import { refuseOthers } from "../rejection.ts";
import { typeUrlOf } from "./type-url.ts";

function read(message: Mutations | undefined, where: string, mostSpecificWins = false): HeaderMutationConfig {
  if (message !== undefined)
    refuseOthers(MutationsSchema, message, `${where}mutations.`, ["request_mutations", "response_mutations"]);
  return new HeaderMutationConfig(
    readMutationList(message?.requestMutations ?? [], `${where}mutations.request_mutations`),
    readMutationList(message?.responseMutations ?? [], `${where}mutations.response_mutations`),
    mostSpecificWins,
  );
}

registerStreamFilter(typeUrlOf(HeaderMutationSchema), (bytes, { name, where }) => {
  const message = fromBinary(HeaderMutationSchema, bytes);
  refuseOthers(HeaderMutationSchema, message, where, ["mutations", "most_specific_header_mutations_wins"]);
  return headerMutationFilter(read(message.mutations, where, message.mostSpecificHeaderMutationsWins), name);
});
registerRouteConfig(typeUrlOf(HeaderMutationPerRouteSchema), (bytes, where) => {
  const message = fromBinary(HeaderMutationPerRouteSchema, bytes);
  refuseOthers(HeaderMutationPerRouteSchema, message, where, ["mutations"]);
  return read(message.mutations, where);
});
