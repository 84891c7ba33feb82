import { applyMutation, type HeaderMutation } from "@fairlead/proxy-router";
import type { StreamFilterFactory } from "../stream-filter.ts";

/** In the order in which they are done. */
export class HeaderMutationConfig {
  readonly request: readonly HeaderMutation[];
  readonly response: readonly HeaderMutation[];

  constructor(request: readonly HeaderMutation[], response: readonly HeaderMutation[]) {
    this.request = request;
    this.response = response;
  }
}

/** Changes headers at its place among the filters, where routes change them before the host only. */
export function headerMutationFilter(config: HeaderMutationConfig, name: string): StreamFilterFactory {
  return (callbacks) => {
    const own = callbacks.override(name)?.config;
    const configs = own instanceof HeaderMutationConfig ? [config, own] : [config];
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
