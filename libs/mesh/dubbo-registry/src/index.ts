export {
  type ApplicationInstance,
  type ApplicationMetadata,
  formatApplicationInstance,
  parseApplicationInstance,
  parseApplicationMetadata,
  providersOf,
} from "./application-instance.ts";
export { type DubboUrl, formatDubboUrl, parseDubboUrl } from "./dubbo-url.ts";
export { decodeJavaUrl, encodeJavaUrl } from "./java-url-encoding.ts";
export {
  consumerUrl,
  type ExportedProvider,
  originParameter,
  parseProvider,
  type Provider,
  providerUrl,
} from "./provider.ts";
export { type Category, RegistryPaths, type RegistryPlace } from "./registry-paths.ts";
export { type LedgerChanges, type LedgerOptions, providerKey, ProviderLedger } from "./provider-ledger.ts";
