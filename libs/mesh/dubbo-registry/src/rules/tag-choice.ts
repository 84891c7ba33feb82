import type { Provider } from "../provider.ts";
import { everyCall, type TextMatch } from "./call-match.ts";
import type { Case, Dimension } from "./dimension.ts";
import type { TagRoute } from "./rule.ts";

/** What a call asks for; "": a tag that no provider has. Undefined: for none. */
export interface AskedTag {
  readonly tag: string;
  /** No other providers will do. */
  readonly force: boolean;
}

const tagParameter = "dubbo.tag";
const tagHeader = "dubbo.tag";
const forceHeader = "dubbo.force.tag";

function staticTag({ parameters }: Provider): string {
  return parameters.get(tagParameter) ?? "";
}

/** All tags of these providers, and of the rules of their applications. */
export function tagsOf(providers: readonly Provider[], rules: readonly TagRoute[]): readonly string[] {
  const applications = new Set(providers.map(({ application }) => application));
  const dynamic = rules.filter(({ application }) => applications.has(application)).flatMap(({ tags }) => tags.map(({ name }) => name)); // prettier-ignore
  return [...new Set([...providers.map(staticTag).filter((tag) => tag !== ""), ...dynamic])].toSorted();
}

/** Which tag a call asks for: by its attachment, or else by its caller's label. */
export function tagDimension(tags: readonly string[]): Dimension<AskedTag | undefined> {
  const exact = (value: string) => ({ kind: "exact", value }) as const;
  const cases: Case<AskedTag | undefined>[] = [];
  const add = (headers: Readonly<Record<string, TextMatch>>, value: AskedTag) =>
    cases.push({ alternatives: [{ ...everyCall, headers }], value });
  const asked = (header: Readonly<Record<string, TextMatch>>, tag: string) => {
    add({ ...header, [forceHeader]: exact("true") }, { tag, force: true });
    add(header, { tag, force: false });
  };
  for (const tag of tags) asked({ [tagHeader]: exact(tag) }, tag);
  asked({ [tagHeader]: { kind: "present", value: "" } }, "");
  for (const tag of tags)
    if (tag.length <= 63) cases.push({ alternatives: [{ ...everyCall, labels: { [tagParameter]: tag } }], value: { tag, force: false } }); // prettier-ignore
  return [...cases, { alternatives: [everyCall], value: undefined }];
}

export interface TagChoice {
  readonly providers: readonly Provider[];
  /** In the names of subsets. */
  readonly name: string;
}

/** The providers that Dubbo's tag router leaves to such a call. */
export function chooseByTag(
  providers: readonly Provider[],
  asked: AskedTag | undefined,
  rules: readonly TagRoute[],
): TagChoice {
  const ruleOf = new Map(rules.map((rule) => [rule.application, rule]));
  const dynamicTags = (provider: Provider) =>
    (ruleOf.get(provider.application)?.tags ?? []).filter((tag) => tag.providers(provider)).map(({ name }) => name);
  const untagged = providers.filter((provider) => dynamicTags(provider).length === 0 && staticTag(provider) === "");
  if (asked === undefined) {
    const left = providers.filter((provider) => {
      if (dynamicTags(provider).length > 0) return false;
      const tag = staticTag(provider);
      const rule = ruleOf.get(provider.application);
      return tag === "" || (rule !== undefined && !rule.tags.some(({ name }) => name === tag));
    });
    return { providers: left, name: "untagged" };
  }
  const { tag, force } = asked;
  const isDynamic = (provider: Provider) => ruleOf.get(provider.application)?.tags.some(({ name }) => name === tag) === true; // prettier-ignore
  const tagged = tag === "" ? [] : providers.filter((provider) =>
    isDynamic(provider) ? dynamicTags(provider).includes(tag) : staticTag(provider) === tag,
  ); // prettier-ignore
  const forcedByRule = tag !== "" && providers.some((provider) => isDynamic(provider) && ruleOf.get(provider.application)!.force); // prettier-ignore
  if (tagged.length > 0 || force || forcedByRule) return { providers: tagged, name: `tag=${tag}` };
  return { providers: untagged, name: "untagged" };
}
