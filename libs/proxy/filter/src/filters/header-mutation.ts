import { applyMutation, type FilterOverride, type HeaderMutation } from "@fairlead/proxy-router";
import type { StreamFilterFactory } from "../stream-filter.ts";

/** In the order in which they are done. */
export class HeaderMutationConfig {
  readonly request: readonly HeaderMutation[];
  readonly response: readonly HeaderMutation[];

  /** Of the levels of a route; in a listener's filter. @default false: the least specific is the last to change */
  readonly mostSpecificWins: boolean;

  constructor(request: readonly HeaderMutation[], response: readonly HeaderMutation[], mostSpecificWins = false) {
    this.request = request;
    this.response = response;
    this.mostSpecificWins = mostSpecificWins;
  }
}

/** Changes headers at its place among the filters, where routes change them before the host only. */
export function headerMutationFilter(config: HeaderMutationConfig, name: string): StreamFilterFactory {
  return (callbacks) => {
    const configs = [config, ...configsOf(callbacks.override(name), config.mostSpecificWins)];
    return {
      onRequestHead(head) {
        for (const { request } of configs)
          for (const mutation of request) applyMutation(mutation, head.headers, callbacks.info);
        return "continue";
      },
      onResponseHead(head) {
        for (const { response } of configs)
          for (const mutation of response) applyMutation(mutation, head.headers, callbacks.info);
      },
    };
  };
}

/** All levels count, in Envoy's order. */
function configsOf(override: FilterOverride | undefined, mostSpecificWins: boolean): readonly HeaderMutationConfig[] {
  if (override === undefined) return none;
  const configs: HeaderMutationConfig[] = [];
  for (let level: FilterOverride | undefined = override; level !== undefined; level = level.outer)
    if (level.config instanceof HeaderMutationConfig) configs.push(level.config);
  return mostSpecificWins ? configs.toReversed() : configs;
}

const none: readonly HeaderMutationConfig[] = [];
