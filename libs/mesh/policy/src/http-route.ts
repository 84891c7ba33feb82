import { z } from "zod";
import { destination } from "./destination.ts";
import { atMostOne, durationMs, maxItems, objectName, percentage, wholePercent } from "./fields.ts";
import { headers } from "./header-operations.ts";
import { directResponse, redirect, rewrite } from "./http-actions.ts";
import { corsPolicy } from "./http-cors.ts";
import { fault } from "./http-fault.ts";
import { httpMatch } from "./http-match.ts";
import { retries } from "./http-retries.ts";

const weight = z
  .number()
  .int()
  .min(0)
  .max(1_000_000)
  .optional()
  .describe("The share of the calls, relative to the other destinations'. Several destinations need it.");

const routeDestination = z.strictObject({
  destination: destination.describe("Where these calls go."),
  weight,
  headers: headers.optional().describe("Header changes for calls to this destination."),
});

const mirror = z.strictObject({
  destination: destination.describe("Where the copies go."),
  percentage: percentage.optional().describe("Of the calls, in percent: `value`. Default: all."),
});

const delegate = z.strictObject({
  name: objectName.optional().describe("The VirtualService that says more; it has no `hosts`."),
  namespace: objectName.optional().describe("Default: this object's."),
});

const actions = ["route", "redirect", "directResponse", "delegate"] as const;
const onlyWithRoute = ["timeout", "retries", "rewrite", "mirror", "mirrors"] as const;

type Destinations = readonly { readonly weight?: number | undefined }[];

/** Shared with tls and tcp routes. */
export function checkWeights(destinations: Destinations, context: z.RefinementCtx): void {
  if (destinations.length <= 1) return;
  destinations.forEach((one, index) => {
    if (one.weight === undefined) {
      context.addIssue({
        code: "custom",
        path: ["route", index],
        message: "needs a weight: the route has several destinations",
      });
    }
  });
  if (destinations.every((one) => one.weight === 0)) {
    context.addIssue({
      code: "custom",
      path: ["route"],
      message: "the weights are all 0: no call could be routed",
    });
  }
}

export const httpRoute = z
  .strictObject({
    name: z.string().max(128).optional().describe("Shown in logs and statistics."),
    match: z
      .array(httpMatch)
      .max(maxItems)
      .default([])
      .describe("Alternatives; without any, all calls match. All fields of one must match."),
    route: z.array(routeDestination).min(1).max(maxItems).optional().describe("Where calls go."),
    redirect: redirect.optional().describe("Answers with a redirect."),
    directResponse: directResponse.optional().describe("Answers by itself."),
    delegate: delegate.optional().describe("Another VirtualService's routes take this one's place; see Delegates."),
    rewrite: rewrite.optional().describe("What of the request is replaced before it is sent on."),
    timeout: durationMs.optional().describe("Of the whole call with all its attempts. Default: none."),
    retries: retries.optional().describe("Default: 2 attempts, on what is safe to repeat."),
    fault: fault.optional().describe("Errors on purpose."),
    mirror: destination.optional().describe("Copies go there too; their answers are thrown away."),
    mirrorPercentage: percentage
      .optional()
      .describe("How many calls `mirror` copies, in percent: `value`. Default: all."),
    mirrorPercent: wholePercent.optional().describe("The old form of `mirrorPercentage`."),
    mirrors: z.array(mirror).max(16).optional().describe("Several `mirror`s."),
    corsPolicy: corsPolicy.optional().describe("Answers browsers' preflights."),
    headers: headers.optional().describe("Header changes for all calls of this route."),
  })
  .superRefine((route, context) => {
    const given = actions.filter((action) => route[action] !== undefined);
    if (given.length !== 1) {
      context.addIssue({
        code: "custom",
        message: `expected exactly one of ${actions.join(", ")}; found ${given.length === 0 ? "none" : given.join(" and ")}`,
      });
    }
    for (const only of onlyWithRoute) {
      // A root of delegates may say what all of them get.
      if (route.route === undefined && route.delegate === undefined && route[only] !== undefined) {
        context.addIssue({ code: "custom", path: [only], message: "only together with route" });
      }
    }
    const problem = atMostOne(route, ["mirror", "mirrors"]) ?? atMostOne(route, ["mirrorPercentage", "mirrorPercent"]);
    if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
    if (route.mirror === undefined) {
      for (const only of ["mirrorPercentage", "mirrorPercent"] as const)
        if (route[only] !== undefined)
          context.addIssue({ code: "custom", path: [only], message: "only together with mirror" });
    }
    checkWeights(route.route ?? [], context);
  });

export type HttpRoute = z.output<typeof httpRoute>;
export type RouteDestination = NonNullable<HttpRoute["route"]>[number];
