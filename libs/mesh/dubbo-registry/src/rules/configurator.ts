import { z } from "zod";
import { parseDubboUrl } from "../dubbo-url.ts";
import { anyAddress } from "./address-test.ts";
import type { CallCondition, CallTerm, Override, ProviderTest, ReadRules } from "./rule.ts";
import { isOfService, parseServiceKey, type ServiceKey } from "./service-key.ts";
import {
  addressMatchSchema,
  addressMatchTest,
  stringMatchSchema,
  type StringMatch,
  stringTest,
} from "./value-match.ts";

/** Parameters of an `override://` that say what it is, and override nothing. */
const ownParameters: ReadonlySet<string> = new Set(
  "application category check compatible_config configVersion dynamic enabled group interface interfaces priority runtime side version".split(" "), // prettier-ignore
);
const addressList = z.array(z.coerce.string()).nullish();
const texts = z.object({ oneof: z.array(stringMatchSchema).default([]) });
const matchSchema = z.object({
  address: addressMatchSchema.optional(),
  providerAddress: addressMatchSchema.optional(),
  service: texts.optional(),
  app: texts.optional(),
  param: z.array(z.object({ key: z.string(), value: stringMatchSchema })).optional(),
});
const itemSchema = z.object({
  side: z.enum(["provider", "consumer"]).nullish(),
  type: z.string().nullish(),
  enabled: z.boolean().nullish(),
  addresses: addressList,
  providerAddresses: addressList,
  applications: addressList,
  services: addressList,
  parameters: z.record(z.string(), z.coerce.string()),
  match: matchSchema.nullish(),
});
const documentSchema = z.object({
  configVersion: z.coerce.string().default("v2.7"),
  scope: z.enum(["application", "service"]).default("service"),
  key: z.string().optional(),
  enabled: z.boolean().default(true),
  configs: z.array(itemSchema).default([]),
});
type Item = z.output<typeof itemSchema>;

const everyone: ProviderTest = () => true;
const isAnyHost = (address: string) => address === "0.0.0.0" || address === "*";

/** What the items of one document are for. */
interface Target {
  readonly source: string;
  readonly service: ServiceKey | undefined;
  readonly application: string | undefined;
}

/** A part of an item that the mesh cannot follow. */
class NotFollowed extends Error {}

function term(key: string, matches: readonly string[]): CallTerm {
  return { key, matches, mismatches: [] };
}

function addressesOf(list: readonly string[], what: string): ProviderTest {
  const test = anyAddress(list);
  if (test === undefined) throw new NotFollowed(`${what} has what is no address: ${list.join(", ")}`);
  return test;
}

/** The values of a list that are all exact. */
function exactValues(list: readonly StringMatch[], what: string): string[] {
  return list.map(({ exact }) => {
    if (exact === undefined) throw new NotFollowed(`${what} is followed with exact values only`);
    return exact;
  });
}

/** The side of the call that an item of `side: consumer` means. */
function callsOf(item: Item, { application }: Target): CallCondition {
  const hosts = (item.addresses ?? []).filter((address) => !isAnyHost(address));
  const applications = [
    ...(item.applications ?? []),
    ...exactValues(item.match?.app?.oneof ?? [], "match.app"),
    ...(application === undefined ? [] : [application]),
  ];
  const { address } = item.match ?? {};
  if (address !== undefined) {
    const exact = address.exact ?? address.wildcard ?? address.cird ?? "";
    if (/[*/-]/.test(exact)) throw new NotFollowed("match.address of consumers is followed with exact values only");
    hosts.push(exact);
  }
  if (hosts.some((host) => host.includes(":"))) throw new NotFollowed("a consumer has no port");
  if (item.match?.param !== undefined) throw new NotFollowed("match.param is followed for providers only");
  return [
    ...(hosts.length === 0 ? [] : [term("host", hosts)]),
    ...(applications.length === 0 ? [] : [term("application", applications)]),
  ];
}

function providersOfItem(item: Item, { service, application }: Target): ProviderTest {
  const tests: ProviderTest[] = [];
  const isProvider = item.side !== "consumer";
  if (service !== undefined) tests.push(isOfService(service));
  if (application !== undefined && isProvider) tests.push((provider) => provider.application === application);
  const services = (item.services ?? []).filter((name) => name !== "*").map(parseServiceKey).map(isOfService); // prettier-ignore
  if (services.length > 0) tests.push((provider) => services.some((test) => test(provider)));
  const named = item.providerAddresses ?? (isProvider ? item.addresses : undefined) ?? [];
  if (named.length > 0) tests.push(addressesOf(named, "providerAddresses"));
  if (isProvider && item.applications !== null && item.applications !== undefined && item.applications.length > 0)
    tests.push((provider) => item.applications!.includes(provider.application));
  const { match } = item;
  for (const one of [match?.providerAddress, isProvider ? match?.address : undefined]) {
    if (one === undefined) continue;
    const test = addressMatchTest(one);
    if (test === undefined) throw new NotFollowed("match has an address that is none");
    tests.push(test);
  }
  const ofTexts = (
    list: readonly StringMatch[] | undefined,
    value: (provider: Parameters<ProviderTest>[0]) => string,
  ) => {
    if (list === undefined) return;
    const found = list.map(stringTest);
    if (found.some((test) => test === undefined)) throw new NotFollowed("match has a pattern that is not followed");
    tests.push((provider) => found.some((test) => test!(value(provider))));
  };
  ofTexts(match?.service?.oneof, ({ interface: name, group, version }) => `${group === "" ? "" : `${group}/`}${name}${version === "" ? "" : `:${version}`}`); // prettier-ignore
  if (isProvider) {
    ofTexts(match?.app?.oneof, (provider) => provider.application);
    for (const { key, value } of match?.param ?? []) {
      const test = stringTest(value);
      if (test === undefined) throw new NotFollowed("match.param has a pattern that is not followed");
      tests.push(({ parameters }) => test(parameters.get(key)));
    }
  }
  return tests.length === 0 ? everyone : (provider) => tests.every((test) => test(provider));
}

/** The YAML of `<key>.configurators`. @throws z.ZodError */
export function readConfigurators(value: unknown, name: string, source: string): ReadRules {
  const document = documentSchema.parse(value);
  const rules: Override[] = [];
  const problems: string[] = [];
  const isApplication = document.scope === "application";
  const key = document.key ?? name;
  const target: Target = {
    source,
    service: isApplication ? undefined : serviceOf(name, key),
    application: isApplication ? key : undefined,
  };
  document.configs.forEach((item, index) => {
    const isGeneral = item.type === null || item.type === undefined || item.type === "general";
    const enabled = isGeneral ? document.enabled : (item.enabled ?? document.enabled);
    if (!enabled) return;
    try {
      const side = item.side ?? "both";
      rules.push({
        kind: "override",
        id: `${source}#${index}`,
        source,
        interface: target.service?.interface,
        level: isApplication ? 1 : 2,
        side,
        providers: providersOfItem(item, target),
        calls: side === "provider" ? [] : callsOf(item, target),
        parameters: new Map(Object.entries(item.parameters)),
      });
    } catch (error) {
      if (!(error instanceof NotFollowed)) throw error;
      problems.push(`configs[${index}]: ${error.message}`);
    }
  });
  return { rules, problems };
}

/** The key in the text says it; texts without one go by their name. */
function serviceOf(name: string, key: string): ServiceKey {
  if (key !== name) return parseServiceKey(key);
  const [service = "", version = "", group = ""] = name.split(":");
  return parseServiceKey(`${group === "" ? "" : `${group}/`}${service}:${version}`);
}

/** `override://0.0.0.0/org.x.Greeter?weight=50`, as Dubbo before 2.7 has it. */
export function readOverrideUrl(text: string, name: string, source: string): ReadRules {
  const url = parseDubboUrl(text);
  if (url === undefined) return { rules: [], problems: ["it is no URL"] };
  const { host, port, parameters } = url;
  if (url.scheme === "absent") return { rules: [], problems: ["absent:// is not followed"] };
  if (url.scheme !== "override") return { rules: [], problems: [] };
  if (parameters.get("enabled") === "false") return { rules: [], problems: [] };
  const conditional = [...parameters.keys()].filter((key) => key.startsWith("~"));
  if (conditional.length > 0)
    return { rules: [], problems: [`${conditional.join(", ")}: such conditions are not followed`] };
  const given = (key: string) => {
    const value = parameters.get(key);
    return value === undefined || value === "*" ? undefined : value;
  };
  const application = given("application");
  const service: ServiceKey = {
    interface: name,
    version: given("version") ?? "",
    group: given("group") ?? "",
  };
  const side = given("side");
  // With a port it is for one provider; an address without one is a consumer's.
  const ofProvider = port !== 0 || side === "provider";
  const providers: ProviderTest = (provider) =>
    isOfServiceOrAny(service, parameters)(provider) &&
    (!ofProvider || isAnyHost(host) || provider.address === host) &&
    (port === 0 || provider.port === port);
  const calls: CallCondition = [
    ...(ofProvider || isAnyHost(host) ? [] : [term("host", [host])]),
    ...(application === undefined ? [] : [term("application", [application])]),
  ];
  const overridden = [...parameters].filter(([key]) => !ownParameters.has(key));
  // `disabled=true` of providers takes them out; `enabled` is the rule's own.
  const rule: Override = {
    kind: "override",
    id: source,
    source,
    interface: name,
    level: 0,
    side: side === "provider" || side === "consumer" ? side : "both",
    providers,
    calls,
    parameters: new Map(overridden),
  };
  return { rules: overridden.length === 0 ? [] : [rule], problems: [] };
}

/** Old rules lie with the interface: one that names neither version nor group is for all of it. */
function isOfServiceOrAny(service: ServiceKey, parameters: ReadonlyMap<string, string>): ProviderTest {
  return (provider) =>
    provider.interface === service.interface &&
    (!parameters.has("version") || parameters.get("version") === "*" || provider.version === service.version) &&
    (!parameters.has("group") || parameters.get("group") === "*" || provider.group === service.group);
}
