import { type Override, overridesOf, type Rule } from "@fairlead/dubbo-registry";

const byOrdinal = <Entry extends { readonly ordinal: number }>(a: Entry, b: Entry) => a.ordinal - b.ordinal;

/** Rules by the interface that they can concern: most are of one, and are not asked about all others. */
export class RulesByInterface {
  readonly #ofAny: { readonly rule: Rule; readonly ordinal: number }[] = [];
  readonly #own = new Map<string, { readonly rule: Rule; readonly ordinal: number }[]>();
  readonly #ofAnyOverrides: readonly Override[];
  readonly #overrides = new Map<string, readonly Override[]>();

  constructor(rules: readonly Rule[]) {
    rules.forEach((rule, ordinal) => {
      if (rule.interface === undefined) {
        this.#ofAny.push({ rule, ordinal });
        return;
      }
      const own = this.#own.get(rule.interface);
      if (own === undefined) this.#own.set(rule.interface, [{ rule, ordinal }]);
      else own.push({ rule, ordinal });
    });
    this.#ofAnyOverrides = overridesOf(this.#ofAny.map(({ rule }) => rule));
  }

  /** In the order of all. */
  rulesOf(name: string): readonly Rule[] {
    return [...this.#ofAny, ...(this.#own.get(name) ?? [])].toSorted(byOrdinal).map(({ rule }) => rule);
  }

  /** In the order in which later ones win. */
  overridesOf(name: string): readonly Override[] {
    if (!this.#own.has(name)) return this.#ofAnyOverrides;
    const known = this.#overrides.get(name) ?? overridesOf(this.rulesOf(name));
    this.#overrides.set(name, known);
    return known;
  }
}
