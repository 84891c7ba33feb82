import type { FastifyRequest } from "fastify";

/** What an operation takes as its body. */
export interface BodyRules {
  readonly maxBytes: number;
  readonly contentTypes: readonly string[];
}

declare module "fastify" {
  interface FastifyContextConfig {
    /** Of the bodies that the operation takes. */
    readonly contentTypes?: readonly string[];
  }
}

const jsonOnly = ["application/json"];

/** What the operation of a request takes, for a message about a body that it does not. */
export function bodyRulesOf({ routeOptions }: FastifyRequest): BodyRules {
  return { maxBytes: routeOptions.bodyLimit, contentTypes: routeOptions.config.contentTypes ?? jsonOnly };
}
