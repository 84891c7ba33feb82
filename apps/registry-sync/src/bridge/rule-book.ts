import {
  effectiveProvider,
  planRouting,
  type Provider,
  readRules,
  type ReadRules,
  type Rule,
  type RuleDocument,
  rulePolicies,
  shownText,
} from "@fairlead/dubbo-registry";
import type { Logger } from "@fairlead/logging";
import { type PolicyObject, policyKey } from "@fairlead/model";
import { RulesByInterface } from "./rules-by-interface.ts";

/** Something that a rule says and the mesh does not do. */
export interface RuleProblem {
  /** Of the rule: a path or a key in the registry. */
  readonly source: string;
  readonly text: string;
}

export interface PolicyChanges {
  readonly put: readonly PolicyObject[];
  readonly removed: readonly PolicyObject[];
}

const maxTold = 10_000;
const maxShownLength = 500;
/** Of the policies of one interface: each proxy that calls it gets what they become. */
const maxPolicyLength = 1024 * 1024;

/** The rules of one registry, and the policies that they are in the mesh. */
export class RuleBook {
  readonly #registry: string;
  readonly #logger: Logger;
  /** By where it lies. */
  readonly #read = new Map<string, ReadRules & { readonly name: string }>();
  #rules: readonly Rule[] = [];
  #byInterface = new RulesByInterface([]);
  /** What the mesh has, by policy; and, as far as this process knows, for which interface. */
  readonly #told = new Map<string, PolicyObject>();
  readonly #keysOf = new Map<string, readonly string[]>();
  readonly #planProblems = new Map<string, readonly RuleProblem[]>();
  /** Logged, so that they are not logged again. */
  readonly #known = new Set<string>();

  readonly #max: number;
  /** Where those lie that are too many. */
  readonly #leftOut = new Set<string>();

  /** @param max rules beyond are left out */
  constructor(registry: string, logger: Logger, max = 50_000) {
    this.#registry = registry;
    this.#logger = logger;
    this.#max = max;
  }

  /** Rules beyond the limit; they are read when the registry is read again and there is room. */
  get leftOut(): number {
    return this.#leftOut.size;
  }

  /** Rules that are followed, wholly or in part. */
  get size(): number {
    return this.#rules.length;
  }

  get problems(): readonly RuleProblem[] {
    const ofTexts = [...this.#read.values()].flatMap(problemsOf);
    const all = [...ofTexts, ...[...this.#planProblems.values()].flat()];
    return [...new Map(all.map((problem) => [`${problem.source} ${problem.text}`, problem])).values()];
  }

  /** Policies that a process before this one has written. */
  restore(policies: Iterable<PolicyObject>): void {
    for (const policy of policies) this.#told.set(policyKey(policy), policy);
  }

  /**
   * @param keepsOthers rules that are not among them stay: the registry has lost them
   * @returns where those lie that stay
   */
  setAll(documents: ReadonlyMap<string, RuleDocument>, keepsOthers: boolean): readonly string[] {
    const others = [...this.#read.keys()].filter((source) => !documents.has(source));
    if (!keepsOthers) for (const source of others) this.#read.delete(source);
    this.#leftOut.clear();
    for (const [source, document] of documents) this.#put(source, document);
    this.#changed();
    return keepsOthers ? others : [];
  }

  /** @returns the interfaces that it may concern, before or now; undefined: any */
  set(source: string, document: RuleDocument | undefined): readonly string[] | undefined {
    const before = this.#read.get(source);
    if (document !== undefined) this.#put(source, document);
    else if (this.#leftOut.delete(source) || !this.#read.delete(source)) return [];
    if (this.#leftOut.has(source)) return [];
    this.#changed();
    const rules = [...(before?.rules ?? []), ...(this.#read.get(source)?.rules ?? [])];
    const names = rules.flatMap((rule) => rule.interface ?? []);
    return names.length < rules.length ? undefined : names;
  }

  effective(provider: Provider): Provider {
    return effectiveProvider(provider, this.#byInterface.overridesOf(provider.interface));
  }

  /** Whether an interface with such a provider may have policies. */
  concerns(provider: Provider): boolean {
    return (
      this.#rules.length > 0 ||
      (provider.parameters.get("dubbo.tag") ?? "") !== "" ||
      this.#keysOf.has(provider.interface)
    );
  }

  /** What is to be written for these interfaces; `wrote` tells that it was. */
  changesFor(interfaces: ReadonlyMap<string, readonly Provider[]>): PolicyChanges {
    const put: PolicyObject[] = [];
    const removed: PolicyObject[] = [];
    for (const [name, providers] of interfaces) {
      const plan = planRouting(name, providers, this.#byInterface.rulesOf(name));
      const planned = rulePolicies({ registry: this.#registry, interface: name }, plan);
      const length = planned.reduce((sum, { text }) => sum + text.length, 0);
      const tooLong = length > maxPolicyLength ? [{ source: name, text: `its rules would be ${length} characters of policies; the limit is ${maxPolicyLength}` }] : []; // prettier-ignore
      const policies = tooLong.length > 0 ? [] : planned;
      this.#note(name, [...plan.problems, ...tooLong]);
      const keys = policies.map(policyKey);
      for (const key of this.#keysOf.get(name) ?? [])
        if (!keys.includes(key) && this.#told.has(key)) removed.push(this.#told.get(key)!);
      for (const policy of policies) {
        const told = this.#told.get(policyKey(policy));
        if (told?.text !== policy.text || told.file !== policy.file) put.push(policy);
      }
      if (keys.length > 0) this.#keysOf.set(name, [...new Set([...keys, ...(this.#keysOf.get(name) ?? [])])]);
    }
    return { put, removed };
  }

  /** Policies of before that no interface has any more; only after all interfaces were planned. */
  leftOver(): readonly PolicyObject[] {
    const owned = new Set([...this.#keysOf.values()].flat());
    return [...this.#told].filter(([key]) => !owned.has(key)).map(([, policy]) => policy);
  }

  wrote({ put, removed }: PolicyChanges): void {
    for (const policy of put) this.#told.set(policyKey(policy), policy);
    if (removed.length === 0) return;
    const gone = new Set(removed.map(policyKey));
    for (const key of gone) this.#told.delete(key);
    // Others may have some that are still to be written.
    for (const [name, keys] of this.#keysOf)
      if (keys.some((key) => gone.has(key)) && !keys.some((key) => this.#told.has(key))) this.#keysOf.delete(name);
  }

  #put(source: string, document: RuleDocument): void {
    if (this.#read.has(source) || this.#read.size < this.#max) {
      this.#leftOut.delete(source);
      this.#read.set(source, named(document));
      return;
    }
    if (this.#leftOut.size === 0)
      this.#logger.warn({ registry: this.#registry, max: this.#max }, "a registry has more rules than the mesh takes of one: they are left out"); // prettier-ignore
    this.#leftOut.add(source);
  }

  #changed(): void {
    this.#rules = [...this.#read.values()].flatMap(({ rules }) => rules);
    this.#byInterface = new RulesByInterface(this.#rules);
    for (const read of this.#read.values()) for (const problem of problemsOf(read)) this.#tell(problem);
  }

  #note(name: string, problems: readonly RuleProblem[]): void {
    if (problems.length === 0) this.#planProblems.delete(name);
    else this.#planProblems.set(name, problems.map(shown));
    for (const problem of problems) this.#tell(shown(problem));
  }

  #tell({ source, text }: RuleProblem): void {
    const id = `${source} ${text}`;
    if (this.#known.has(id) || this.#known.size >= maxTold) return;
    this.#known.add(id);
    this.#logger.warn({ registry: this.#registry, rule: source, problem: text }, "a rule is not followed in the mesh");
  }
}

function named(document: RuleDocument): ReadRules & { readonly name: string } {
  const name = nameOf(document);
  return { ...readRules(document, name), name };
}

function problemsOf({ name, problems }: ReadRules & { readonly name: string }): RuleProblem[] {
  return problems.map((text) => shown({ source: name, text }));
}

/** What is told stays short, whatever stands in the rule. */
function shown({ source, text }: RuleProblem): RuleProblem {
  return { source, text: shownText(text, maxShownLength) };
}

/** How people find it. */
function nameOf(document: RuleDocument): string {
  return shownText(document.form === "item" ? document.key : `${document.interface} ${document.url}`, maxShownLength);
}
