import { type Provider, withParameters } from "../provider.ts";
import type { Override, Rule } from "./rule.ts";

/** Of an override that is for calls of all kinds: what it says is the provider's own. */
export function overridesProvider({ calls, providers }: Override, provider: Provider): boolean {
  return calls.length === 0 && providers(provider);
}

/** Overrides in the order in which later ones win. */
export function overridesOf(rules: readonly Rule[]): Override[] {
  return rules.filter((rule) => rule.kind === "override").toSorted((a, b) => a.level - b.level);
}

/** The provider with what configurators say in place of what it registered. @param overrides as `overridesOf` gives them */
export function effectiveProvider(provider: Provider, overrides: readonly Override[]): Provider {
  let parameters: Map<string, string> | undefined;
  for (const override of overrides) {
    if (!overridesProvider(override, provider)) continue;
    parameters ??= new Map(provider.parameters);
    for (const [name, value] of override.parameters) parameters.set(name, value);
  }
  return parameters === undefined ? provider : withParameters(provider, parameters);
}
