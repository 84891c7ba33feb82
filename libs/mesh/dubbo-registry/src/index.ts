export {
  type ApplicationInstance,
  type ApplicationMetadata,
  type MetadataService,
  metadataServiceOf,
  parseApplicationInstance,
  parseApplicationMetadata,
  providersOf,
  readApplicationMetadata,
} from "./application-instance.ts";
export { type DubboUrl, formatDubboUrl, parseDubboUrl } from "./dubbo-url.ts";
export { type ExportedApplication, exportedApplications } from "./exported-application.ts";
export { decodeJavaUrl, encodeJavaUrl } from "./java-url-encoding.ts";
export {
  consumerUrl,
  type ExportedProvider,
  originParameter,
  parseProvider,
  type Provider,
  providerUrl,
  withParameters,
} from "./provider.ts";
export {
  applicationInNacos,
  weighted,
  isDubboService,
  nacosMetadata,
  nacosServiceName,
  ordinaryInNacos,
  providerInNacos,
  ruleKeysOf,
} from "./nacos-layout.ts";
export { type Category, RegistryPaths, type RegistryPlace } from "./registry-paths.ts";
export {
  type AskedEndpoint,
  type LedgerChanges,
  type LedgerOptions,
  providerKey,
  ProviderLedger,
} from "./provider-ledger.ts";
export { type RuleDocument } from "./rules/rule-document.ts";
export { effectiveProvider, overridesOf } from "./rules/effective-provider.ts";
export { readRules } from "./rules/read-rules.ts";
export { planRouting, type RoutingPlan } from "./rules/routing-plan.ts";
export type { Override, ReadRules, Rule } from "./rules/rule.ts";
export { isOfRegistry, ruleNamespace, rulePolicies } from "./rules/rule-policies.ts";
export { globMatches } from "./rules/value-match.ts";
export { shownText } from "./shown-text.ts";
