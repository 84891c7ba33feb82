import { z } from "zod";
import type { RegistryClient } from "./registry-client.ts";

/** All objects of a list operation such as /v1/instances, page after page. */
export async function listAll<Item extends z.ZodType>(
  registry: RegistryClient,
  what: "services" | "instances" | "nodes" | "policies",
  item: Item,
): Promise<z.output<Item>[]> {
  const answer = z.looseObject({ [what]: z.array(item), next: z.string().optional() });
  const items: z.output<Item>[] = [];
  let after: string | undefined;
  do {
    const query = after === undefined ? "" : `?after=${encodeURIComponent(after)}`;
    const page = await registry.call({ path: `/v1/${what}${query}`, answer });
    items.push(...(page[what] as z.output<Item>[]));
    after = page["next"] as string | undefined;
  } while (after !== undefined);
  return items;
}
