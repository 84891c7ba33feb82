import { z } from "zod";
import { anyAddress } from "./address-test.ts";
import type { ProviderTest, ReadRules, TagRoute } from "./rule.ts";
import { stringMatchSchema, stringTest } from "./value-match.ts";

const documentSchema = z.object({
  key: z.string().optional(),
  enabled: z.boolean().default(true),
  force: z.boolean().default(false),
  tags: z
    .array(
      z.object({
        name: z.coerce.string().min(1),
        addresses: z.array(z.string()).nullish(),
        match: z.array(z.object({ key: z.string(), value: stringMatchSchema })).nullish(),
      }),
    )
    .default([]),
});

/** The YAML of `<application>.tag-router`. @throws z.ZodError */
export function readTagRouter(value: unknown, name: string, source: string): ReadRules {
  const document = documentSchema.parse(value);
  const problems: string[] = [];
  if (!document.enabled) return { rules: [], problems };
  const tags: { name: string; providers: ProviderTest }[] = [];
  for (const { name: tag, addresses, match } of document.tags) {
    const tests: (ProviderTest | undefined)[] = [];
    if ((addresses ?? []).length > 0) tests.push(anyAddress(addresses!));
    const params = (match ?? []).map(({ key, value: wanted }) => ({ key, test: stringTest(wanted) }));
    if (params.some(({ test }) => test === undefined)) tests.push(undefined);
    else if (params.length > 0)
      tests.push(({ parameters }) => params.every(({ key, test }) => test!(parameters.get(key))));
    if (tests.some((test) => test === undefined))
      problems.push(`the tag ${tag} has an address or a pattern that is not followed`); // prettier-ignore
    else if (tests.length > 0) tags.push({ name: tag, providers: (provider) => tests.some((test) => test!(provider)) });
  }
  const rule: TagRoute = { kind: "tag", id: source, source, application: document.key ?? name, force: document.force, tags }; // prettier-ignore
  return { rules: [rule], problems };
}
