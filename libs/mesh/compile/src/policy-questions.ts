import { meshGateway, type TypedPolicy } from "@fairlead/policy";
import { exportQuestions, labelQuestions, namespaceQuestions, type Question } from "./viewer.ts";

/** What a policy asks of who calls. */
export function policyQuestions(typed: TypedPolicy): readonly Question[] {
  if (typed.kind === "ServiceEntry") return exportQuestions(typed.spec.exportTo);
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
