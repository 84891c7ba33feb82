import { isDeepStrictEqual } from "node:util";
import { FairleadError } from "@fairlead/errors";
import { type PolicyObject, policyKey } from "@fairlead/model";
import { parsePolicies } from "@fairlead/policy";
import type { CatalogueQueries, CatalogueReader, CatalogueWriter, PutOutcome } from "@fairlead/store";
import { currentTraceparent, inSpan } from "@fairlead/telemetry";
import type { RegistryMetrics } from "./registry-metrics.ts";

export interface AppliedPolicy extends Pick<PolicyObject, "kind" | "namespace" | "name"> {
  readonly outcome: PutOutcome;
}

export interface Applied {
  readonly revision: number;
  readonly objects: readonly AppliedPolicy[];
}

export interface PoliciesOptions {
  readonly store: CatalogueReader & CatalogueWriter & CatalogueQueries;
  readonly metrics: Pick<RegistryMetrics, "stored">;
}

const applied = ({ kind, namespace, name }: PolicyObject, outcome: PutOutcome): AppliedPolicy => ({
  kind,
  namespace,
  name,
  outcome,
});

/** Policies as people apply them: all objects of a text, or none. */
export class Policies {
  readonly #options: PoliciesOptions;

  constructor(options: PoliciesOptions) {
    this.#options = options;
  }

  /** @param file the name of the source, for messages and provenance @throws FairleadError FL_POLICY_INVALID, FL_STORE_UNAVAILABLE */
  async apply(text: string, file: string): Promise<Applied> {
    const { policies } = parsePolicies(text, { file });
    const { store, metrics } = this.#options;
    return await inSpan("registry.apply_policies", { "fairlead.policies": policies.length }, async () => {
      const { result, revision, changed } = await store.write(currentTraceparent(), async (tx) => {
        const objects: AppliedPolicy[] = [];
        for (const { object } of policies) objects.push(applied(object, await tx.putPolicy(object)));
        return objects;
      });
      metrics.stored("apply_policies", changed);
      return { revision, objects: result };
    });
  }

  /** What `apply` would do; changes nothing. */
  async compare(text: string, file: string): Promise<Applied> {
    const { policies } = parsePolicies(text, { file });
    const { store } = this.#options;
    const existing = await store.findPolicies(policies.map(({ object }) => policyKey(object)));
    const objects = policies.map(({ object }) => {
      const before = existing.get(policyKey(object));
      return applied(
        object,
        before === undefined ? "created" : isDeepStrictEqual(before, object) ? "unchanged" : "configured",
      );
    });
    return { revision: await store.revision(), objects };
  }

  /** @throws FairleadError FL_NOT_FOUND, FL_STORE_UNAVAILABLE */
  async find(key: string): Promise<PolicyObject> {
    const policy = (await this.#options.store.findPolicies([key])).get(key);
    if (policy === undefined) throw notFound(key);
    return policy;
  }

  /** @throws FairleadError FL_NOT_FOUND, FL_STORE_UNAVAILABLE */
  async remove(policy: Pick<PolicyObject, "kind" | "namespace" | "name">): Promise<{ revision: number }> {
    const { store, metrics } = this.#options;
    return await inSpan("registry.remove_policy", { "fairlead.policy": policyKey(policy) }, async () => {
      const { result, revision, changed } = await store.write(currentTraceparent(), (tx) => tx.removePolicy(policy));
      if (!result) throw notFound(policyKey(policy));
      metrics.stored("remove_policy", changed);
      return { revision };
    });
  }
}

function notFound(key: string): FairleadError {
  return new FairleadError("FL_NOT_FOUND", `there is no policy ${key}`, { facts: { policy: key } });
}
