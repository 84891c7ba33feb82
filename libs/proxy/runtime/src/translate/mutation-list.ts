import type { HeaderMutation as MutationMessage } from "@fairlead/envoy-api/envoy/config/common/mutation_rules/v3/mutation_rules_pb.js";
import type { HeaderMutation } from "@fairlead/proxy-router";
import { readMutation } from "./header-mutations.ts";
import { rejection } from "./rejection.ts";

/** In the order in which they are done. @throws FairleadError FL_XDS_REJECTED */
export function readMutationList(messages: readonly MutationMessage[], where: string): HeaderMutation[] {
  return messages.flatMap(({ action }, i) => {
    const field = `${where}[${i}].header`;
    if (action.case === "remove") return readMutation([], [action.value], field) ?? [];
    if (action.case === "append") return readMutation([action.value], [], field) ?? [];
    throw rejection(`${where}[${i}]`, "has neither remove nor append");
  });
}
