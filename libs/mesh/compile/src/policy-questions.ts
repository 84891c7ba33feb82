import { type DestinationRule, meshGateway, type TypedPolicy } from "@fairlead/policy";
import { placeQuestions } from "./locality-balancing.ts";
import { exportQuestions, labelQuestions, namespaceQuestions, type Question } from "./viewer.ts";

/** What a rule asks to know whether it is for a caller. */
export function ruleQuestions({ exportTo, workloadSelector }: DestinationRule): readonly Question[] {
  if (workloadSelector === undefined) return exportQuestions(exportTo);
  return [...namespaceQuestions, ...labelQuestions(workloadSelector.matchLabels)];
}

/** What its balancing asks of where a caller is. */
export function rulePlaceQuestions({ trafficPolicy, subsets }: DestinationRule): readonly Question[] {
  const policies = [trafficPolicy, ...subsets.map((subset) => subset.trafficPolicy)];
  return policies
    .flatMap((policy) => [policy, ...(policy?.portLevelSettings ?? [])])
    .flatMap((policy) => placeQuestions(policy?.loadBalancer?.localityLbSetting));
}

/** What a policy asks of who calls. */
export function policyQuestions(typed: TypedPolicy): readonly Question[] {
  if (typed.kind === "ServiceEntry") return exportQuestions(typed.spec.exportTo);
  if (typed.kind === "DestinationRule") return [...ruleQuestions(typed.spec), ...rulePlaceQuestions(typed.spec)];
  if (typed.kind !== "VirtualService") return [];
  const matches = typed.spec.http
    .flatMap(({ match }) => match)
    .filter(({ gateways = [] }) => gateways.length === 0 || gateways.includes(meshGateway));
  return [
    ...exportQuestions(typed.spec.exportTo),
    ...matches.flatMap(({ sourceLabels = {} }) => labelQuestions(sourceLabels)),
    ...matches.flatMap(({ sourceNamespace }) => (sourceNamespace === undefined ? [] : namespaceQuestions)),
  ];
}
