import { z } from "zod";
import { durationMs, headerMatch, headerName, hostName, stringMatch } from "./fields.ts";
import { retryConditions } from "./retry-conditions.ts";

const maxItems = 256;

const match = z.strictObject({
  name: z.string().max(128).optional(),
  uri: stringMatch.optional(),
  ignoreUriCase: z.boolean().default(false),
  method: stringMatch.optional(),
  authority: stringMatch.optional(),
  headers: z.record(headerName, headerMatch).default({}),
  withoutHeaders: z.record(headerName, headerMatch).default({}),
  queryParams: z.record(z.string().min(1).max(256), stringMatch).default({}),
});

const destination = z.strictObject({
  destination: z.strictObject({ host: hostName, subset: z.string().min(1).max(128).optional() }),
  weight: z.number().int().min(0).max(1_000_000).optional(),
});

const retryOn = z
  .string()
  .max(512)
  .transform((text, context) => {
    const conditions = text
      .split(",")
      .map((part) => part.trim())
      .filter((part) => part !== "");
    const isStatus = (part: string) => /^[1-5]\d\d$/.test(part);
    const unknown = conditions.filter((part) => !isStatus(part) && !retryConditions.includes(part));
    if (unknown.length > 0) {
      context.addIssue({
        code: "custom",
        message: `unknown condition ${unknown.join(", ")}; known are status codes and ${retryConditions.join(", ")}`,
      });
      return z.NEVER;
    }
    return {
      conditions: conditions.filter((part) => !isStatus(part)),
      statusCodes: conditions.filter(isStatus).map(Number),
    };
  });

const retries = z.strictObject({
  attempts: z.number().int().min(0).max(100),
  perTryTimeout: durationMs.optional(),
  retryOn: retryOn.optional(),
});

const redirect = z.strictObject({
  uri: z.string().min(1).max(2048).optional(),
  authority: z.string().min(1).max(255).optional(),
  redirectCode: z.union([z.literal(301), z.literal(302), z.literal(303), z.literal(307), z.literal(308)]).default(301),
});

const directResponse = z.strictObject({
  status: z.number().int().min(200).max(599),
  body: z.strictObject({ string: z.string().max(4096) }).optional(),
});

const httpRoute = z
  .strictObject({
    name: z.string().max(128).optional(),
    match: z.array(match).max(maxItems).default([]),
    route: z.array(destination).min(1).max(maxItems).optional(),
    redirect: redirect.optional(),
    directResponse: directResponse.optional(),
    timeout: durationMs.optional(),
    retries: retries.optional(),
    rewrite: z
      .strictObject({ uri: z.string().min(1).max(2048).optional(), authority: z.string().min(1).max(255).optional() })
      .optional(),
  })
  .superRefine((route, context) => {
    const actions = (["route", "redirect", "directResponse"] as const).filter((action) => route[action] !== undefined);
    if (actions.length !== 1) {
      context.addIssue({
        code: "custom",
        message: `expected exactly one of route, redirect, directResponse; found ${actions.length === 0 ? "none" : actions.join(" and ")}`,
      });
    }
    for (const only of ["timeout", "retries", "rewrite"] as const) {
      if (route.route === undefined && route[only] !== undefined) {
        context.addIssue({ code: "custom", path: [only], message: "only together with route" });
      }
    }
    const destinations = route.route ?? [];
    if (destinations.length > 1) {
      destinations.forEach(({ weight }, index) => {
        if (weight === undefined) {
          context.addIssue({
            code: "custom",
            path: ["route", index],
            message: "needs a weight: the route has several destinations",
          });
        }
      });
      if (destinations.every(({ weight }) => weight === 0)) {
        context.addIssue({
          code: "custom",
          path: ["route"],
          message: "the weights are all 0: no call could be routed",
        });
      }
    }
  });

/** The spec of a VirtualService. Hosts and headers keep their case; matching ignores it. */
export const virtualServiceSchema = z.strictObject({
  hosts: z.array(hostName).min(1).max(maxItems),
  http: z.array(httpRoute).min(1).max(maxItems),
});

export type VirtualService = z.output<typeof virtualServiceSchema>;
export type HttpRoute = VirtualService["http"][number];
export type HttpMatch = HttpRoute["match"][number];
export type RouteDestination = NonNullable<HttpRoute["route"]>[number];
export type Retries = NonNullable<HttpRoute["retries"]>;
export type StringMatch = NonNullable<HttpMatch["uri"]>;
