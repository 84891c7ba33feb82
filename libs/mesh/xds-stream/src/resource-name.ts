/*
 * Names of the new form (rule 71, TP1):
 *
 *   xdstp://authority/type/id?key=value&key=value      the context parameters may come in any order
 *   xdstp://authority/type/folder/*                    a glob: all that is in the folder
 *
 * Names of the old form have no parts, whatever they look like.
 */
const scheme = "xdstp://";

/** The one spelling of a name: context parameters are sorted, and what only says how to find it (`#…`, rule 72) is cut off. */
export function canonicalName(name: string): string {
  if (!name.startsWith(scheme)) return name;
  const [withoutDirectives = ""] = name.split("#", 1);
  const question = withoutDirectives.indexOf("?");
  if (question < 0) return withoutDirectives;
  const parameters = withoutDirectives
    .slice(question + 1)
    .split("&")
    .filter((parameter) => parameter !== "");
  const path = withoutDirectives.slice(0, question);
  return parameters.length === 0 ? path : `${path}?${parameters.sort().join("&")}`;
}

/** The same list where nothing is to be done, as it mostly is: many streams may share it. */
export function canonicalNames(names: readonly string[]): readonly string[] {
  return names.some((name) => name.startsWith(scheme)) ? names.map(canonicalName) : names;
}

/** As `canonicalNames`. */
export function canonicalVersions(versions: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  for (const known of versions.keys()) {
    if (!known.startsWith(scheme)) continue;
    return new Map(Array.from(versions, ([name, version]) => [canonicalName(name), version]));
  }
  return versions;
}

/** What all members of a glob begin with; undefined for a name that is none. */
export function globPrefix(name: string): string | undefined {
  return name.startsWith(scheme) && name.endsWith("/*") ? name.slice(0, -1) : undefined;
}
