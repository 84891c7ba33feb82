/** Only the fields that paths like `name` or `config.name` lead to, and the type of what is in an Any; a list is gone through. */
export function masked(value: unknown, paths: readonly string[]): unknown {
  if (Array.isArray(value)) return value.map((one) => masked(one, paths));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, inner]) => {
      if (name === "@type") return [[name, inner]];
      const rest = innerMask(paths, name);
      if (rest === "none") return [];
      return [[name, rest === undefined ? inner : masked(inner, rest)]];
    }),
  );
}

/** @returns the paths within a field; undefined: all of it; `none`: it is not wanted. The whole of a field is more than a part of it */
export function innerMask(paths: readonly string[], field: string): readonly string[] | undefined | "none" {
  if (paths.includes(field)) return undefined;
  const inner = paths.filter((path) => path.startsWith(`${field}.`)).map((path) => path.slice(field.length + 1));
  return inner.length === 0 ? "none" : inner;
}
