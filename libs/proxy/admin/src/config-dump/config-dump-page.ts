import { FairleadError } from "@fairlead/errors";
import { JsonText } from "../admin-server.ts";
import { innerMask, masked } from "../field-mask.ts";
import { searchOf } from "../name-search.ts";
import { configSections, type DumpSource } from "./config-sections.ts";
import { adminType, type DumpItem, type DumpSection } from "./dump-section.ts";

/** What was asked for. */
interface Choice {
  readonly names: (name: string) => boolean;
  readonly mask: readonly string[] | undefined;
}

/**
 * As Envoy's: all messages, with `?include_eds` those of endpoints; `?resource=` the items of one list; `?name_regex=` those of these
 * names; `?mask=` some fields, of the messages or of the items.
 *
 * @throws FairleadError FL_REQUEST_INVALID
 */
export function configDumpPage(source: DumpSource, query: URLSearchParams): JsonText {
  const resource = query.get("resource");
  const expression = query.get("name_regex");
  const choice: Choice = {
    names: expression === null ? () => true : searchOf(expression),
    mask: query.get("mask")?.split(","),
  };
  const sections = configSections(source, resource !== null || query.has("include_eds"));
  if (resource !== null) return new JsonText(itemsText(sections, resource, choice));
  // The bootstrap has no name.
  const named = expression === null ? sections : sections.filter(({ lists }) => lists.length > 0);
  // Here and not while it is written: the expression may be refused.
  const wanted = named.map((section) => withChosen(section, choice));
  return new JsonText(configsText(wanted.map((section) => sectionText(section, choice.mask))));
}

function itemsText(sections: readonly DumpSection[], resource: string, choice: Choice): Iterable<string> {
  for (const { message, lists } of sections) {
    const list = lists.find(({ field }) => field === resource);
    if (list !== undefined) {
      const type = { "@type": adminType(`${message}.${list.itemMessage}`) };
      return configsText(chosen(list.items, choice).map((item) => [itemText(item, choice.mask, type)]));
    }
  }
  const known = sections.flatMap(({ lists }) => lists.map(({ field }) => field));
  throw new FairleadError(
    "FL_REQUEST_INVALID",
    `resource is one of ${known.join(", ")}, not ${resource.slice(0, 50)}; without it all are there`,
  );
}

function* configsText(configs: Iterable<Iterable<string>>): Iterable<string> {
  yield '{\n "configs": [';
  let separator = "\n";
  for (const config of configs) {
    yield separator;
    yield* config;
    separator = ",\n";
  }
  yield "\n ]\n}\n";
}

function* sectionText({ message, fields, lists }: DumpSection, mask: readonly string[] | undefined): Iterable<string> {
  const head = { "@type": adminType(message), ...(mask === undefined ? fields : (masked(fields, mask) as object)) };
  // Open, for what follows.
  yield JSON.stringify(head, undefined, 1).replace(/\n\}$/, "");
  for (const { field, items } of lists) {
    const inner = mask === undefined ? undefined : innerMask(mask, field);
    if (inner === "none") continue;
    // As Envoy, which leaves out what is empty.
    if (items.length === 0) continue;
    yield `,\n "${field}": [`;
    let separator = "\n";
    for (const item of items) {
      yield separator + itemText(item, inner);
      separator = ",\n";
    }
    yield "\n ]";
  }
  yield "\n}";
}

function withChosen(section: DumpSection, choice: Choice): DumpSection {
  return { ...section, lists: section.lists.map((list) => ({ ...list, items: chosen(list.items, choice) })) };
}

function chosen(items: readonly DumpItem[], { names }: Choice): readonly DumpItem[] {
  return items.filter(({ name }) => names(name));
}

function itemText({ json }: DumpItem, mask: readonly string[] | undefined, type: object = {}): string {
  const whole = json();
  return JSON.stringify({ ...type, ...(mask === undefined ? whole : (masked(whole, mask) as object)) }, undefined, 1);
}
