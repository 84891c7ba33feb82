import { z } from "zod";
import { parseDubboUrl } from "../dubbo-url.ts";
import { callCondition, providerCondition } from "./condition.ts";
import type { CallCondition, ConditionRoute, ProviderTest, ReadRules } from "./rule.ts";
import { isOfService, parseColonKey, parseServiceKey } from "./service-key.ts";

const priority = z.coerce.number().int().default(0);
const commonFields = {
  configVersion: z.coerce.string().default("v3.0"),
  scope: z.enum(["application", "service"]).default("service"),
  key: z.string().optional(),
  enabled: z.boolean().default(true),
  force: z.boolean().default(false),
  priority,
};
const textual = z.object({ ...commonFields, conditions: z.array(z.string()).default([]) });
const multiple = z.object({
  ...commonFields,
  conditions: z.array(
    z.object({
      priority,
      from: z.object({ match: z.string().nullish() }).nullish(),
      to: z
        .array(z.object({ match: z.string().nullish(), weight: z.coerce.number().int().min(0).default(100) }))
        .nullish(),
      ratio: z.coerce.number().min(0).max(100).default(0),
      force: z.boolean().default(false),
      trafficDisable: z.boolean().default(false),
    }),
  ),
});

/** The order in which Dubbo asks its routers; tags come before all of them. */
const serviceOrder = 140;
const applicationOrder = 150;

interface Scope {
  readonly interface: string | undefined;
  readonly services: ProviderTest;
  readonly callersApplication: string | undefined;
  readonly order: number;
}

function scopeOf(name: string, scope: "application" | "service", key: string | undefined): Scope {
  if (scope === "application") {
    const application = key ?? name;
    return {
      interface: undefined,
      services: (provider) => provider.application === application,
      callersApplication: application,
      order: applicationOrder,
    };
  }
  const service = key === undefined || key === name ? parseColonKey(name) : parseServiceKey(key);
  return {
    interface: service.interface,
    services: isOfService(service),
    callersApplication: undefined,
    order: serviceOrder,
  };
}

interface Sides {
  readonly calls: CallCondition;
  readonly destinations: ConditionRoute["destinations"];
}

/** `left => right`; without an arrow there is only a right side. @returns a text for what cannot be followed */
function parseCondition(text: string): Sides | string {
  const arrow = text.indexOf("=>");
  const left = (arrow === -1 ? "" : text.slice(0, arrow)).trim();
  const right = (arrow === -1 ? text : text.slice(arrow + 2)).trim();
  const calls = left === "" || left === "true" ? [] : callCondition(left);
  if (typeof calls === "string") return calls;
  if (right === "" || right === "false") return { calls, destinations: [] };
  const providers = providerCondition(right);
  return typeof providers === "string" ? providers : { calls, destinations: [{ providers, weight: 100 }] };
}

/** The YAML of `<key>.condition-router`. @throws z.ZodError */
export function readConditionRouter(value: unknown, name: string, source: string): ReadRules {
  const version = z.object({ configVersion: z.coerce.string().optional() }).parse(value).configVersion ?? "";
  return version.startsWith("v3.1") ? readMultiple(value, name, source) : readTextual(value, name, source);
}

function readTextual(value: unknown, name: string, source: string): ReadRules {
  const document = textual.parse(value);
  const rules: ConditionRoute[] = [];
  const problems: string[] = [];
  if (!document.enabled) return { rules, problems };
  const scope = scopeOf(name, document.scope, document.key);
  document.conditions.forEach((text, index) => {
    const sides = parseCondition(text);
    if (typeof sides === "string") problems.push(`conditions[${index}] (${text}): ${sides}`);
    else rules.push({ kind: "condition", id: `${source}#${index}`, source, ...scope, ...sides, force: document.force, ratio: -1, firstOf: undefined }); // prettier-ignore
  });
  return { rules, problems };
}

function readMultiple(value: unknown, name: string, source: string): ReadRules {
  const document = multiple.parse(value);
  const found: { readonly priority: number; readonly rule: ConditionRoute }[] = [];
  const problems: string[] = [];
  if (!document.enabled) return { rules: [], problems };
  const scope = scopeOf(name, document.scope, document.key);
  document.conditions.forEach((condition, index) => {
    const id = `${source}#${index}`;
    const from = (condition.from?.match ?? "").trim();
    const calls = from === "" || from === "true" ? [] : callCondition(from);
    if (typeof calls === "string") return problems.push(`conditions[${index}].from: ${calls}`);
    const destinations: { providers: ProviderTest; weight: number }[] = [];
    for (const { match, weight } of condition.trafficDisable ? [] : (condition.to ?? [])) {
      const text = (match ?? "").trim();
      const providers = text === "" || text === "false" ? () => true : providerCondition(text);
      if (typeof providers === "string") return problems.push(`conditions[${index}].to: ${providers}`);
      destinations.push({ providers, weight });
    }
    const force = condition.force || document.force;
    found.push({
      priority: condition.priority,
      rule: {
        kind: "condition",
        id,
        source,
        ...scope,
        calls,
        destinations,
        force,
        ratio: condition.ratio,
        firstOf: source,
      },
    });
    return undefined;
  });
  // The highest first.
  return { rules: found.toSorted((a, b) => b.priority - a.priority).map(({ rule }) => rule), problems };
}

/** `route://0.0.0.0/org.x.Greeter?rule=…`, as Dubbo before 2.7 has it. */
export function readRouteUrl(text: string, name: string, source: string): ReadRules {
  const url = parseDubboUrl(text);
  if (url === undefined) return { rules: [], problems: ["it is no URL"] };
  const { parameters, host } = url;
  const router = parameters.get("router") ?? (url.scheme === "route" ? "condition" : url.scheme);
  if (parameters.get("enabled") === "false") return { rules: [], problems: [] };
  if (router === "script" || url.scheme === "script") return { rules: [], problems: [scriptProblem] };
  if (router !== "condition") return { rules: [], problems: [`the router ${router} is not followed`] };
  const sides = parseCondition(decoded(parameters.get("rule") ?? ""));
  if (typeof sides === "string") return { rules: [], problems: [sides] };
  const ofHost = host === "0.0.0.0" ? [] : [{ key: "host", matches: [host], mismatches: [] }];
  const rule: ConditionRoute = {
    kind: "condition",
    id: source,
    source,
    interface: name,
    order: serviceOrder - 1,
    services: (provider) => provider.interface === name,
    callersApplication: undefined,
    calls: [...ofHost, ...sides.calls],
    destinations: sides.destinations,
    force: parameters.get("force") === "true",
    ratio: -1,
    firstOf: undefined,
  };
  return { rules: [rule], problems: [] };
}

export const scriptProblem =
  "scripts are not run: the mesh does not execute code that lies in a registry; write a condition router or a VirtualService instead";

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return text;
  }
}
