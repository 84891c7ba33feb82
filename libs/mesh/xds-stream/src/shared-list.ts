import type { CompiledResource } from "@fairlead/snapshot";

type List = readonly CompiledResource[];

const empty: List = [];
const maxRecent = 64;
/** The lists that were sent last; only those that somebody still holds count. */
const recent: WeakRef<List>[] = [];

/**
 * The list that another stream was sent, if it has the same resources: what is kept for a list (its bytes) is then there
 * already. A change goes to streams one after the other, so that the last few lists are enough to look at.
 */
export function sharedList(list: List): List {
  if (list.length === 0) return empty;
  for (let index = recent.length - 1; index >= 0; index--) {
    const other = recent[index]?.deref();
    if (other !== undefined && isSame(list, other)) return other;
  }
  recent.push(new WeakRef(list));
  if (recent.length > maxRecent) recent.shift();
  return list;
}

function isSame(a: List, b: List): boolean {
  return a.length === b.length && a.every((resource, index) => resource === b[index]);
}
