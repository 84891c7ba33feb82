import { isOfRegistry } from "@fairlead/dubbo-registry";
import { FairleadError } from "@fairlead/errors";
import { type PolicyObject, policyKey } from "@fairlead/model";
import { parsePolicies } from "@fairlead/policy";
import type { CatalogueQueries, CatalogueWriter, PutOutcome } from "@fairlead/store";
import { currentTraceparent, inSpan } from "@fairlead/telemetry";
import type { LiveConfig } from "./live/live-config.ts";
import type { JobQueue } from "./policy-work/job-queue.ts";
import type { JobResults } from "./policy-work/jobs.ts";
import type { PolicyChange } from "./preview/policy-change.ts";
import type { RegistryMetrics } from "./registry-metrics.ts";

type PolicyName = Pick<PolicyObject, "kind" | "namespace" | "name">;

export interface AppliedPolicy extends PolicyName {
  readonly outcome: PutOutcome;
}

export interface Applied {
  readonly revision: number;
  readonly objects: readonly AppliedPolicy[];
}

export interface PoliciesOptions {
  readonly store: CatalogueWriter & CatalogueQueries;
  readonly metrics: Pick<RegistryMetrics, "stored" | "previewed">;
  /** Parses what is long. */
  readonly parser: Pick<JobQueue, "run">;
  readonly previewer: Pick<JobQueue, "run">;
  readonly live: Pick<LiveConfig, "policiesInForce">;
}

/** What an apply, or a removal, would do. */
export type PreviewedChange = JobResults["preview"];

/** The parser takes up to 5 µs a character: a longer text would keep the event loop for more than 50 ms. */
const maxCharsAtOnce = 8 * 1024;
/** What the bus has makes a dry run more exact; it is not needed for one. */
const maxBusWaitMs = 1000;
/** No hand wrote them. */
const maxLines = 100_000;

/** Policies as people apply them: all objects of a text, or none. */
export class Policies {
  readonly #options: PoliciesOptions;

  constructor(options: PoliciesOptions) {
    this.#options = options;
  }

  /** @param file the name of the source, for messages and provenance @throws FairleadError FL_POLICY_INVALID, FL_POLICY_WORK_LIMIT, FL_STORE_UNAVAILABLE */
  async apply(text: string, file: string, signal?: AbortSignal): Promise<Applied> {
    const policies = await this.#parse(text, file, signal);
    const { store, metrics } = this.#options;
    return await inSpan("registry.apply_policies", { "fairlead.policies": policies.length }, async () => {
      const { result, revision, changed } = await store.write(currentTraceparent(), async (tx) => {
        const objects: AppliedPolicy[] = [];
        for (const policy of policies) {
          const { kind, namespace, name } = policy;
          objects.push({ kind, namespace, name, outcome: await tx.putPolicy(policy) });
        }
        return objects;
      });
      metrics.stored("apply_policies", changed);
      return { revision, objects: result };
    });
  }

  /** What `apply` would do; changes nothing. @throws FairleadError as `apply`, and FL_OVERLOADED */
  async previewApply(text: string, file: string, signal?: AbortSignal): Promise<PreviewedChange> {
    return await this.#preview({ put: await this.#parse(text, file, signal), remove: [] }, signal);
  }

  /** What `remove` would do; changes nothing. @throws FairleadError FL_NOT_FOUND, FL_OVERLOADED, FL_POLICY_WORK_LIMIT, FL_STORE_UNAVAILABLE */
  async previewRemove(policy: PolicyName, signal?: AbortSignal): Promise<PreviewedChange> {
    const { kind, namespace, name } = notOwned(await this.find(policyKey(policy)));
    return await this.#preview({ put: [], remove: [policyKey({ kind, namespace, name })] }, signal);
  }

  async #preview(change: PolicyChange, signal: AbortSignal | undefined): Promise<PreviewedChange> {
    return await inSpan("registry.preview", { "fairlead.policies": change.put.length }, async () => {
      const started = performance.now();
      // Before the first commit, and while the bus is away, a policy that is rejected counts as not there.
      const inForce = await this.#options.live
        .policiesInForce(maxBusWaitMs)
        .catch(() => new Map<string, PolicyObject>());
      const previewed = await this.#options.previewer.run({ kind: "preview", change, inForce }, signal);
      this.#options.metrics.previewed((performance.now() - started) / 1000);
      return previewed;
    });
  }

  async #parse(text: string, file: string, signal: AbortSignal | undefined): Promise<readonly PolicyObject[]> {
    let lines = 1;
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) lines += 1;
    if (lines > maxLines) {
      const problem = `${file === "" ? "(input)" : file}:${maxLines + 1}:1 the text has more than ${maxLines} lines; split it`;
      throw new FairleadError("FL_POLICY_INVALID", problem, { facts: { problems: [problem] } });
    }
    if (text.length > maxCharsAtOnce) return await this.#options.parser.run({ kind: "parse", text, file }, signal);
    return parsePolicies(text, { file }).policies.map(({ object }) => object);
  }

  /** @throws FairleadError FL_NOT_FOUND, FL_STORE_UNAVAILABLE */
  async find(key: string): Promise<PolicyObject> {
    const policy = (await this.#options.store.findPolicies([key])).get(key);
    if (policy === undefined) throw notFound(key);
    return policy;
  }

  /** @throws FairleadError FL_NOT_FOUND, FL_POLICY_OWNED, FL_STORE_UNAVAILABLE */
  async remove(policy: PolicyName): Promise<{ revision: number }> {
    const { store, metrics } = this.#options;
    notOwned(policy);
    return await inSpan("registry.remove_policy", { "fairlead.policy": policyKey(policy) }, async () => {
      const { result, revision, changed } = await store.write(currentTraceparent(), (tx) => tx.removePolicy(policy));
      if (!result) throw notFound(policyKey(policy));
      metrics.stored("remove_policy", changed);
      return { revision };
    });
  }
}

/** No policy that is applied can have the namespace of those that follow a registry's rules. @throws FairleadError FL_POLICY_OWNED */
function notOwned<Policy extends PolicyName>(policy: Policy): Policy {
  if (!isOfRegistry(policy.namespace)) return policy;
  const key = policyKey(policy);
  throw new FairleadError("FL_POLICY_OWNED", `${key} follows rules of the registry ${policy.namespace.slice(1)}`, {
    facts: { policy: key },
  });
}

function notFound(key: string): FairleadError {
  return new FairleadError("FL_NOT_FOUND", `there is no policy ${key}`, { facts: { policy: key } });
}
