import { typeUrls } from "@fairlead/envoy-api";
import type { ResourceView } from "@fairlead/snapshot";

/**
 * New clusters that the client does not use yet. Envoy warms a cluster until its endpoints have arrived, and answers 503 for
 * a route that names it before (rule 63). So listeners and routes wait until a new cluster's endpoints were answered; a
 * cluster without endpoints of its own is ready with the answer to the clusters. Not for ever: rule 65.
 */
export class ClusterReadiness {
  readonly #timeoutMs: number;
  readonly #unready = new Set<string>();
  #since = 0;

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  /** @param added those among the sent that the client did not have @param holds whether the client has a name now */
  sent(added: Iterable<string>, holds: (name: string) => boolean, now: number): void {
    for (const name of this.#unready) if (!holds(name)) this.#unready.delete(name);
    if (this.#unready.size === 0) this.#since = now;
    for (const name of added) this.#unready.add(name);
  }

  /** @param view undefined when the client does not ask for endpoints */
  clustersAnswered(view: ResourceView | undefined): void {
    for (const name of this.#unready) {
      if (view?.get(typeUrls.endpoint, name) === undefined) this.#unready.delete(name);
    }
  }

  endpointsAnswered(names: Iterable<string>): void {
    for (const name of names) this.#unready.delete(name);
  }

  /** Whether the client may lack a cluster that it was sent. */
  waits(now: number): boolean {
    if (this.#unready.size > 0 && now >= this.#since + this.#timeoutMs) this.#unready.clear();
    return this.#unready.size > 0;
  }

  /** When it stops to wait; undefined when it does not wait. */
  get deadline(): number | undefined {
    return this.#unready.size === 0 ? undefined : this.#since + this.#timeoutMs;
  }
}
