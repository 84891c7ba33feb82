import { computation } from "@fairlead/incremental";
import type { MeshNode } from "@fairlead/model";
import { addressLabel, appLabel, typedPolicy } from "@fairlead/policy";
import { policyQuestions } from "../policy-questions.ts";
import { type Question, type Viewer, viewerOf } from "../viewer.ts";
import { all, askingPolicies, nodes, policies } from "./facts.ts";

/** All that policies ask of who calls, sorted; those of a delegate are its roots'. Key: all. */
const allQuestions = computation("questions", (reading): readonly Question[] => {
  const questions = reading.get(askingPolicies, all).flatMap((key) => {
    const candidates = reading.get(policies, key);
    return [candidates?.current, candidates?.lastGood].flatMap((policy) => {
      try {
        return policy === undefined ? [] : policyQuestions(typedPolicy(policy));
      } catch {
        return [];
      }
    });
  });
  return [...new Set(questions)].toSorted();
});

/** What policies may select a node by: its labels, and what each node has without them. */
function selectableBy(node: MeshNode | undefined): Readonly<Record<string, string>> {
  if (node === undefined) return {};
  return { [appLabel]: node.app, [addressLabel]: node.address, ...node.labels };
}

/** Key: the node's id. */
export const viewerOfNode = computation("viewer", (reading, id): Viewer =>
  viewerOf(reading.get(allQuestions, all), selectableBy(reading.get(nodes, id))),
);
