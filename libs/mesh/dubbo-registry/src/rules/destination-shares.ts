import type { Provider } from "../provider.ts";
import type { ConditionRoute } from "./rule.ts";

/** Part of the calls, and who takes them; nobody: they are refused. */
export interface Share {
  readonly providers: readonly Provider[];
  /** Of 1. */
  readonly weight: number;
  /** What has narrowed the providers, step by step. */
  readonly steps: readonly string[];
}

/** What a rule leaves of a share, in shares of its own; undefined: it leaves it as it is. */
function narrowed(share: Share, rule: ConditionRoute, meant: (provider: Provider) => boolean): Share[] | undefined {
  const concerned = share.providers.filter(meant);
  if (concerned.length === 0) return undefined;
  const others = share.providers.filter((provider) => !meant(provider));
  const refused = [{ providers: others, weight: share.weight, steps: [...share.steps, `${rule.id} none`] }];
  if (rule.destinations.length === 0) return refused;
  const found = rule.destinations
    .map(({ providers, weight }, index) => ({ index, weight, providers: concerned.filter(providers) }))
    .filter(({ providers }) => providers.length > 0);
  if (found.length === 0) return rule.force ? refused : undefined;
  const sum = found.reduce((total, { weight }) => total + weight, 0);
  return found.map(({ index, weight, providers }) => {
    const isEnough = Math.floor((providers.length * 100) / concerned.length) > rule.ratio;
    return {
      providers: isEnough ? [...others, ...providers] : others,
      weight: share.weight * (sum === 0 ? 1 / found.length : weight / sum),
      steps: [...share.steps, `${rule.id} ${isEnough ? index : "none"}`],
    };
  });
}

/**
 * Takes calls through condition routers, one after the other.
 *
 * @param rules that are true of these calls, in their order
 * @param meant whether a rule means a provider's service
 */
export function throughConditions(
  first: Share,
  rules: readonly ConditionRoute[],
  meant: (rule: ConditionRoute, provider: Provider) => boolean,
): readonly Share[] {
  let shares: readonly Share[] = [first];
  const done = new Set<string>();
  for (const rule of rules) {
    if (rule.firstOf !== undefined && done.has(rule.firstOf)) continue;
    const next = shares.map((share) => narrowed(share, rule, (provider) => meant(rule, provider)));
    if (next.every((found) => found === undefined)) continue;
    if (rule.firstOf !== undefined) done.add(rule.firstOf);
    shares = shares.flatMap((share, index) => next[index] ?? [share]);
  }
  return shares.filter(({ weight }) => weight > 0);
}
