import { isDeepStrictEqual } from "node:util";
import type { Provider } from "../provider.ts";
import { bothMatch, type CallMatch, everyCall } from "./call-match.ts";
import { callOverrides, type CallOverride, type CallSettings } from "./call-settings.ts";
import { throughConditions } from "./destination-shares.ts";
import { allPairs, type Dimension, dimensionOf } from "./dimension.ts";
import { overridesOf } from "./effective-provider.ts";
import { identitiesOf, identityDimension, type ServiceIdentity } from "./identity-dimension.ts";
import type { ConditionRoute, Rule, TagRoute } from "./rule.ts";
import { type AskedTag, chooseByTag, tagDimension, tagsOf } from "./tag-choice.ts";

/** Where part of the calls of a route go. */
export interface PlannedShare {
  /** Of 1. */
  readonly weight: number;
  /** Undefined: all providers; empty: nobody. */
  readonly providers: readonly Provider[] | undefined;
  /** What has narrowed the providers; the same for the same subset, whoever is in it at the time. */
  readonly steps: readonly string[];
}

export interface PlannedRoute extends CallSettings {
  /** Any of these. */
  readonly matches: readonly CallMatch[];
  readonly shares: readonly PlannedShare[];
}

/** How calls of an interface go, by the rules of its registry. */
export interface RoutingPlan {
  /** The first that matches counts; the last one matches all. Empty: as without rules. */
  readonly routes: readonly PlannedRoute[];
  /** Names of load balancing as Dubbo has them; undefined: as the mesh has it. */
  readonly balancing: string | undefined;
  /** Where the rules were read that are followed here. */
  readonly sources: readonly string[];
  /** What could not be followed, by the rule's source. */
  readonly problems: readonly { readonly source: string; readonly text: string }[];
}

const maxRoutes = 200;

/** One kind of call: what all dimensions say of it. */
interface CallClass {
  readonly alternatives: readonly CallMatch[];
  readonly identity: ServiceIdentity | undefined;
  readonly tag: AskedTag | undefined;
  /** Ids of conditions that are true of it. */
  readonly conditions: ReadonlySet<string>;
}

class ClassTable {
  classes: readonly CallClass[] = [
    { alternatives: [everyCall], identity: undefined, tag: undefined, conditions: new Set() },
  ];

  /** Tells all classes apart in one more respect. @returns a text, and leaves them as they are, when routes cannot */
  split<Value>(dimension: Dimension<Value>, said: (value: Value) => Partial<CallClass> | string): string | undefined {
    const classes: CallClass[] = [];
    for (const one of this.classes) {
      for (const { alternatives, value } of dimension) {
        const both = allPairs(one.alternatives, alternatives);
        if (typeof both === "string") return both;
        if (both.length === 0) continue;
        const more = said(value);
        const conditions = typeof more === "string" ? new Set([...one.conditions, more]) : one.conditions;
        classes.push({ ...one, ...(typeof more === "string" ? {} : more), alternatives: both, conditions });
      }
    }
    if (classes.length > maxRoutes) return `together with the other rules it would be more than ${maxRoutes} routes`;
    this.classes = classes;
    return undefined;
  }
}

/** @param providers as configurators leave them, those that take calls @param rules of the registry, any of them */
export function planRouting(name: string, providers: readonly Provider[], rules: readonly Rule[]): RoutingPlan {
  const problems: { source: string; text: string }[] = [];
  const sources = new Set<string>();
  const table = new ClassTable();
  const conditions = conditionsFor(providers, rules);
  const overrides = callOverridesFor(providers, rules, problems, sources);
  const tagRules = rules.filter((rule): rule is TagRoute => rule.kind === "tag");
  const tags = tagsOf(providers, tagRules);

  if (conditions.length + overrides.length + tags.length > 0) {
    table.split(identityDimension(identitiesOf(providers)), (identity) => ({ identity }));
    if (tags.length > 0) {
      const problem = table.split(tagDimension(tags), (tag) => ({ tag }));
      if (problem !== undefined) problems.push({ source: "tags", text: problem });
      for (const { source, application } of tagRules)
        if (providers.some((provider) => provider.application === application)) sources.add(source);
    }
  }
  const followed = <Kind extends { readonly id: string; readonly source: string; readonly calls: ConditionRoute["calls"] }>(list: readonly Kind[]) =>
    list.filter(({ id, source, calls }) => {
      const dimension = dimensionOf(calls, name);
      const problem =
        typeof dimension === "string"
          ? dimension
          : table.split(dimension, (isTrue) => (isTrue ? id : {}));
      if (problem === undefined) sources.add(source);
      else problems.push({ source, text: problem });
      return problem === undefined;
    }); // prettier-ignore
  const conditionsFollowed = followed(conditions);
  const overridesFollowed = followed(overrides);

  const routes = table.classes.map((one): PlannedRoute => {
    const ofIdentity = providers.filter((provider) => isOfIdentity(provider, one.identity));
    const identitySteps = one.identity === undefined || ofIdentity.length === providers.length ? [] : [`identity ${one.identity.version} ${one.identity.group}`]; // prettier-ignore
    const chosen = tags.length === 0 ? { providers: ofIdentity, name: "" } : chooseByTag(ofIdentity, one.tag, tagRules);
    const tagSteps = chosen.providers.length === ofIdentity.length ? [] : [chosen.name];
    const first = { providers: chosen.providers, weight: 1, steps: [...identitySteps, ...tagSteps] };
    const shares = throughConditions(
      first,
      conditionsFollowed.filter(({ id }) => one.conditions.has(id)),
      (rule, provider) => rule.callersApplication !== undefined || rule.services(provider),
    );
    const settings = overridesFollowed.filter(({ id }) => one.conditions.has(id)).map((override) => override.settings);
    return {
      ...Object.assign({}, ...settings),
      matches: one.alternatives,
      shares: shares.map(({ providers: left, weight, steps }) => ({
        weight,
        steps,
        providers: left.length === providers.length ? undefined : left,
      })),
    };
  });
  return {
    routes: withoutSame(routes),
    balancing: balancingOf(providers, rules, problems),
    sources: [...sources],
    problems,
  };
}

/** Rules that concern this interface's providers, in the order that Dubbo asks them in. */
function conditionsFor(providers: readonly Provider[], rules: readonly Rule[]): ConditionRoute[] {
  return rules
    .filter((rule): rule is ConditionRoute => rule.kind === "condition")
    .flatMap((rule): ConditionRoute[] => {
      // An application's rule is for calls to it, and for its own calls.
      if (providers.some(rule.services)) return [{ ...rule, callersApplication: undefined }];
      if (rule.callersApplication === undefined) return [];
      return [{ ...rule, calls: [...rule.calls, { key: "application", matches: [rule.callersApplication], mismatches: [] }] }]; // prettier-ignore
    })
    .toSorted((a, b) => a.order - b.order);
}

type FollowedOverride = CallOverride & { readonly id: string; readonly source: string };

function callOverridesFor(
  providers: readonly Provider[],
  rules: readonly Rule[],
  problems: { source: string; text: string }[],
  sources: Set<string>,
): FollowedOverride[] {
  return overridesOf(rules).flatMap((override) => {
    const meant = providers.filter(override.providers);
    if (meant.length === 0) return [];
    const { source } = override;
    const { found, problems: own } = callOverrides(override);
    problems.push(...own.map((text) => ({ source, text })));
    sources.add(source);
    if (found.length > 0 && meant.length < providers.length) {
      const text = "time-outs and retries of some of a service's providers only cannot be had";
      const ofOneIdentity = meant.every((provider) => provider.version === meant[0]!.version && provider.group === meant[0]!.group); // prettier-ignore
      const { version, group } = meant[0]!;
      const all = providers.filter((provider) => provider.version === version && provider.group === group);
      if (!ofOneIdentity || all.length > meant.length) {
        problems.push({ source, text });
        return [];
      }
      const asked = [...(version === "" ? [] : [["version", version] as const]), ...(group === "" ? [] : [["group", group] as const])]; // prettier-ignore
      const ofIdentity = asked.map(([key, value]) => ({ key: `attachment:${key}`, matches: [value], mismatches: [] }));
      return found.map((one, index) => ({ ...one, calls: [...one.calls, ...ofIdentity], id: `${override.id}/${index}`, source })); // prettier-ignore
    }
    return found.map((one, index) => ({ ...one, id: `${override.id}/${index}`, source }));
  });
}

function balancingOf(
  providers: readonly Provider[],
  rules: readonly Rule[],
  problems: { source: string; text: string }[],
): string | undefined {
  let found: string | undefined;
  for (const override of overridesOf(rules)) {
    const balancing = override.parameters.get("loadbalance");
    if (balancing === undefined || override.calls.length > 0 || !providers.some(override.providers)) continue;
    if (!providers.every(override.providers))
      problems.push({
        source: override.source,
        text: "loadbalance of some of a service's providers only cannot be had",
      });
    else if (balancing === "consistenthash")
      problems.push({ source: override.source, text: "loadbalance=consistenthash cannot be had: arguments are not read" }); // prettier-ignore
    else found = balancing;
  }
  return found;
}

function isOfIdentity({ version, group }: Provider, identity: ServiceIdentity | undefined): boolean {
  return identity === undefined || ((identity.version ?? version) === version && (identity.group ?? group) === group);
}

function actionOf({ shares, timeoutMs, retries }: PlannedRoute): string {
  return JSON.stringify([shares.map(({ weight, steps, providers }) => [weight, providers === undefined ? [] : steps]), timeoutMs, retries]); // prettier-ignore
}

/** Whether all calls that the one matches are matched by the other, too. */
function isWithin({ matches }: PlannedRoute, other: PlannedRoute): boolean {
  return matches.every((match) => other.matches.some((wider) => isDeepStrictEqual(bothMatch(match, wider), match)));
}

/** Without routes that say what the next one says to their calls; and none at all where the only one says nothing. */
function withoutSame(routes: readonly PlannedRoute[]): readonly PlannedRoute[] {
  const kept: PlannedRoute[] = [];
  for (const route of routes.toReversed()) {
    const next = kept[0];
    if (next === undefined || actionOf(route) !== actionOf(next) || !isWithin(route, next)) kept.unshift(route);
  }
  const [only, ...others] = kept;
  const [share] = only!.shares;
  const saysNothing = others.length === 0 && share !== undefined && share.providers === undefined;
  return saysNothing && only!.timeoutMs === undefined && only!.retries === undefined ? [] : kept;
}
