/** Whether a name, or all names of a pattern, are among those of another: `*`, `*.example.com`, or the name itself. */
export function isWithin(name: string, pattern: string): boolean {
  if (pattern === "*" || name === pattern) return true;
  return pattern.startsWith("*.") && name.endsWith(pattern.slice(1));
}

/** @returns the narrower of two patterns; undefined when they have no name in common */
export function intersectHosts(left: string, right: string): string | undefined {
  if (isWithin(left, right)) return left;
  return isWithin(right, left) ? right : undefined;
}
