import { FairleadError } from "@fairlead/errors";
import {
  type InstanceStateRequest,
  leaseAnswerSchema,
  type NodeBody,
  type PublicationAnswer,
  publicationAnswerSchema,
  type PublishRequest,
  type ServiceBody,
  type ServiceReference,
} from "@fairlead/registration";
import { type Counter, metrics } from "@opentelemetry/api";
import type { z } from "zod";
import { instancesPage, subscriptionsPage } from "./held.ts";
import type { CallOptions, Held, Registry } from "./registry.ts";
import { RegistryCaller } from "@fairlead/registry-client";

/** More than a node may have. */
const maxHeld = 100_000;

export interface RegistryClientOptions {
  readonly urls: readonly string[];
  readonly node: NodeBody;
  /** For one attempt at one URL, without the time that the call itself waits, in milliseconds. @default 5000 */
  readonly timeoutMs?: number;
}

/** registry-sync over its HTTP API. */
export class RegistryClient implements Registry {
  readonly #node: NodeBody;
  readonly #timeoutMs: number;
  readonly #caller: RegistryCaller;
  readonly #calls: Counter;

  constructor(options: RegistryClientOptions) {
    this.#node = options.node;
    this.#timeoutMs = options.timeoutMs ?? 5000;
    this.#caller = new RegistryCaller(options.urls);
    this.#calls = metrics.getMeter("fairlead").createCounter("fairlead_sidecar_registry_calls_total", {
      description: "Calls to registry-sync by operation and result (ok or an error code).",
    });
  }

  async registerNode(options?: CallOptions): Promise<void> {
    await this.#call("register_node", "POST", "/v1/nodes", { node: this.#node }, options);
  }

  async removeNode(options?: CallOptions): Promise<void> {
    await this.#call("remove_node", "DELETE", `/v1/nodes/${encodeURIComponent(this.#node.id)}`, undefined, options);
  }

  async renewLease(options?: CallOptions): Promise<number> {
    const path = "/v1/leases/renew";
    const answer = await this.#call("renew_lease", "POST", path, { node: { id: this.#node.id } }, options);
    return parsed(path, leaseAnswerSchema, answer).leaseTtlMs;
  }

  async held(options?: CallOptions): Promise<Held> {
    return {
      publications: await this.#pages("/v1/instances", instancesPage, options),
      subscriptions: await this.#pages("/v1/subscriptions", subscriptionsPage, options),
    };
  }

  async publish(
    service: ServiceBody,
    state: PublishRequest["state"],
    options?: CallOptions,
  ): Promise<PublicationAnswer> {
    return await this.#change("publish", "/pub", { node: this.#node, service, state }, options);
  }

  async setState(
    service: ServiceReference,
    state: InstanceStateRequest["state"],
    options?: CallOptions,
  ): Promise<PublicationAnswer> {
    return await this.#change(
      "set_state",
      "/v1/instances/state",
      { node: { id: this.#node.id }, service, state },
      options,
    );
  }

  async unpublish(service: ServiceReference, options?: CallOptions): Promise<PublicationAnswer> {
    return await this.#change("unpublish", "/unpub", { node: { id: this.#node.id }, service }, options);
  }

  async subscribe(service: ServiceReference, options?: CallOptions): Promise<PublicationAnswer> {
    return await this.#change("subscribe", "/sub", { node: this.#node, service }, options);
  }

  async unsubscribe(service: ServiceReference, options?: CallOptions): Promise<PublicationAnswer> {
    return await this.#change("unsubscribe", "/unsub", { node: { id: this.#node.id }, service }, options);
  }

  async #change(operation: string, path: string, body: object, options: CallOptions = {}): Promise<PublicationAnswer> {
    const query =
      options.waitMs === undefined ? "" : `?wait=converged&timeout=${Math.max(1, Math.round(options.waitMs))}ms`;
    return parsed(path, publicationAnswerSchema, await this.#call(operation, "POST", `${path}${query}`, body, options));
  }

  /** All that the node has at a list operation. */
  async #pages<Item>(
    path: string,
    page: z.ZodType<{ items: Item[]; next?: string | undefined }>,
    options?: CallOptions,
  ): Promise<Item[]> {
    const items: Item[] = [];
    let after: string | undefined;
    do {
      const query = new URLSearchParams({ node: this.#node.id, ...(after === undefined ? {} : { after }) });
      const answer = parsed(
        path,
        page,
        await this.#call("held", "GET", `${path}?${query.toString()}`, undefined, options),
      );
      items.push(...answer.items);
      after = answer.next;
    } while (after !== undefined && items.length < maxHeld);
    return items;
  }

  async #call(
    operation: string,
    method: "GET" | "POST" | "DELETE",
    path: string,
    body: object | undefined,
    options: CallOptions = {},
  ): Promise<unknown> {
    const timeoutMs = this.#timeoutMs + (options.waitMs ?? 0);
    try {
      const answer = await this.#caller.call({
        method,
        path,
        timeoutMs,
        signal: options.signal,
        ...(body === undefined ? {} : { body }),
      });
      this.#calls.add(1, { operation, result: "ok" });
      return answer;
    } catch (error) {
      this.#calls.add(1, { operation, result: error instanceof FairleadError ? error.code : "aborted" });
      throw error;
    }
  }
}

/** @throws FairleadError FL_REGISTRY_UNAVAILABLE: something else answers at its address */
function parsed<Type extends z.ZodType>(path: string, type: Type, answer: unknown): z.output<Type> {
  const result = type.safeParse(answer);
  if (result.success) return result.data;
  throw new FairleadError(
    "FL_REGISTRY_UNAVAILABLE",
    `what answers ${path} is not registry-sync: ${result.error.issues[0]?.message ?? ""}`,
  );
}
