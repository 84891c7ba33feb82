/** Only the fields that paths like `name` or `config.name` lead to; a list is gone through. */
export function masked(value: unknown, paths: readonly string[]): unknown {
  if (Array.isArray(value)) return value.map((one) => masked(one, paths));
  if (typeof value !== "object" || value === null) return value;
  const wanted = new Map<string, string[] | undefined>();
  for (const path of paths) {
    const dot = path.indexOf(".");
    const head = dot === -1 ? path : path.slice(0, dot);
    // The whole of a field is more than a part of it.
    if (dot === -1) wanted.set(head, undefined);
    else if (!wanted.has(head) || wanted.get(head) !== undefined)
      wanted.set(head, [...(wanted.get(head) ?? []), path.slice(dot + 1)]);
  }
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, inner]) => {
      if (!wanted.has(name)) return [];
      const rest = wanted.get(name);
      return [[name, rest === undefined ? inner : masked(inner, rest)]];
    }),
  );
}
