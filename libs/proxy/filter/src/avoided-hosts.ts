import type { RetryPolicy } from "@fairlead/proxy-router";
import { canonicalJson, type Host } from "@fairlead/proxy-upstream";

/** The hosts that another attempt of a request should not take (Envoy's retry host predicates). */
export class AvoidedHosts {
  readonly #policy: Pick<RetryPolicy, "avoidsFailedHosts" | "avoidMetadata">;
  readonly #failed = new Set<Host>();

  constructor(policy: Pick<RetryPolicy, "avoidsFailedHosts" | "avoidMetadata">) {
    this.#policy = policy;
  }

  noteFailed(host: Host): void {
    if (this.#policy.avoidsFailedHosts) this.#failed.add(host);
  }

  has(host: Host): boolean {
    return this.#failed.has(host) || this.#policy.avoidMetadata.some((wanted) => hasAll(host, wanted));
  }
}

function hasAll({ metadata }: Host, wanted: ReadonlyMap<string, string>): boolean {
  for (const [name, value] of wanted) if (!(name in metadata) || canonicalJson(metadata[name]) !== value) return false;
  return true;
}
