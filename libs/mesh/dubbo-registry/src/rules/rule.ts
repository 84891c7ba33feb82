import type { Provider } from "../provider.ts";

/** Whether a rule means a provider. */
export type ProviderTest = (provider: Provider) => boolean;

/**
 * One condition of a call or its caller:
 *
 * - `method`, and `attachment:<name>`
 * - `application` and `host` of the caller; anything else is a label of the caller's node
 */
export interface CallTerm {
  readonly key: string;
  /** Any of these; `*` stands for anything, at the end or within. Empty: any. */
  readonly matches: readonly string[];
  /** None of these. */
  readonly mismatches: readonly string[];
}

/** All have to be true; none: all calls. */
export type CallCondition = readonly CallTerm[];

interface RuleBase {
  /** Of the rule and its part; stable while the rule's text is. */
  readonly id: string;
  /** Where it was read, for people. */
  readonly source: string;
  /** The only interface that it can concern; undefined: any may be. */
  readonly interface?: string | undefined;
}

/** A configurator: parameters of providers, or of calls to them, in place of what was registered. */
export interface Override extends RuleBase {
  readonly kind: "override";
  /** Later ones win: 0 of old URLs, 1 of an application, 2 of a service. */
  readonly level: number;
  readonly side: "provider" | "consumer" | "both";
  readonly providers: ProviderTest;
  readonly calls: CallCondition;
  readonly parameters: ReadonlyMap<string, string>;
}

/** A condition router: calls that it means go to some of the providers. */
export interface ConditionRoute extends RuleBase {
  readonly kind: "condition";
  /** Smaller ones come first. */
  readonly order: number;
  /** Whose calls: of these providers' services, or … */
  readonly services: ProviderTest;
  /** … of this application, whatever it calls. */
  readonly callersApplication: string | undefined;
  readonly calls: CallCondition;
  /** Shares of the calls; without any, they are refused. */
  readonly destinations: readonly { readonly providers: ProviderTest; readonly weight: number }[];
  /** Where nothing is left: refuse, and do not go to all. */
  readonly force: boolean;
  /** Fewer than so many percent of the providers are none; -1: any number will do. */
  readonly ratio: number;
  /** Rules of one list of which the first that changes something is the only one. */
  readonly firstOf: string | undefined;
}

/** A tag router: what tags the providers of an application have, besides their own. */
export interface TagRoute extends RuleBase {
  readonly kind: "tag";
  readonly application: string;
  readonly force: boolean;
  readonly tags: readonly { readonly name: string; readonly providers: ProviderTest }[];
}

export type Rule = Override | ConditionRoute | TagRoute;

/** A document as far as the mesh can follow it. */
export interface ReadRules {
  readonly rules: readonly Rule[];
  /** What it says that the mesh does not follow, for people. */
  readonly problems: readonly string[];
}
