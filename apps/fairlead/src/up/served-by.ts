import { z } from "zod";
import type { CallOutcome } from "./outbound-caller.ts";

const servedBy = z.object({ instance: z.string(), version: z.string() });
const partSchema = z.object({ servedBy });
const storefrontSchema = z.object({
  servedBy,
  catalog: partSchema,
  reviews: partSchema,
  orders: z.object({ servedBy, catalog: partSchema }),
  /** Over Dubbo and over bolt. */
  price: partSchema.extend({ cents: z.number() }),
  stock: partSchema.extend({ pieces: z.number() }),
});
export type StorefrontAnswer = z.output<typeof storefrontSchema>;

function parsed<Type extends z.ZodType>(type: Type, body: string): z.output<Type> | undefined {
  try {
    return type.safeParse(JSON.parse(body)).data;
  } catch {
    return undefined;
  }
}

/** The storefront's answer; undefined when it is something else. */
export function storefrontAnswer(outcome: CallOutcome): StorefrontAnswer | undefined {
  return parsed(storefrontSchema, outcome.body);
}

/** The version of shop.Reviews that took part in a storefront's answer. */
export function reviewsVersion(outcome: CallOutcome): string {
  return storefrontAnswer(outcome)?.reviews.servedBy.version ?? "unknown";
}

/** The instance of the shop that answered. */
export function servingInstance(outcome: CallOutcome): string {
  return parsed(partSchema, outcome.body)?.servedBy.instance ?? "unknown";
}
