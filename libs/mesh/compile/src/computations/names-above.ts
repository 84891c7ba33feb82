import type { Reading } from "@fairlead/incremental";
import { lastPartOf, wildcardsOf } from "@fairlead/policy";
import { wildcardsOfPart } from "./facts.ts";

/**
 * A name in lower case, and the wildcards above it that a DestinationRule or VirtualService may name, the narrowest first.
 *
 * Most names have none: above `org.shop.reviews` only `*.shop.reviews` and `*.reviews` are, which nothing else is below. To look for policies
 * of each of them would be most of what a service costs.
 */
export function namesAbove(reading: Reading, name: string): readonly string[] {
  if (!name.includes(".") || reading.get(wildcardsOfPart, lastPartOf(name)).length === 0) return [name];
  return [name, ...wildcardsOf(name)];
}
