import { typeUrls } from "@fairlead/envoy-api";
import type { ResourceView } from "@fairlead/snapshot";

interface NewCluster {
  readonly sinceMs: number;
  /** The client has answered the response that it came with. */
  answered: boolean;
  /** Its endpoints were sent since. */
  endpointsSent: boolean;
}

/**
 * New clusters that the client does not use yet. Envoy warms a cluster until its endpoints have arrived, and answers 503 for
 * a route that names it before (rule 63). So listeners and routes wait until a new cluster's endpoints were answered; a
 * cluster without endpoints of its own is ready with the answer to the clusters. Not for ever: rule 65.
 */
export class ClusterReadiness {
  readonly #timeoutMs: number;
  readonly #unready = new Map<string, NewCluster>();
  #deadline: number | undefined;

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  /** @param added those among the sent that the client did not have @param holds whether the client has a name now */
  sent(added: Iterable<string>, holds: (name: string) => boolean, now: number): void {
    for (const name of this.#unready.keys()) if (!holds(name)) this.#unready.delete(name);
    for (const name of added) this.#unready.set(name, { sinceMs: now, answered: false, endpointsSent: false });
  }

  /** @param awaitsEndpoints whether the client asks for endpoints, and may have the clusters */
  clustersAnswered(awaitsEndpoints: boolean): void {
    if (!awaitsEndpoints) this.#unready.clear();
    for (const cluster of this.#unready.values()) cluster.answered = true;
  }

  endpointsSent(names: Iterable<string>): void {
    for (const name of names) {
      const cluster = this.#unready.get(name);
      if (cluster !== undefined) cluster.endpointsSent = true;
    }
  }

  /** Those that were sent before their cluster do not count: the client may have dropped them with an earlier one. */
  endpointsAnswered(names: Iterable<string>): void {
    for (const name of names) if (this.#unready.get(name)?.endpointsSent === true) this.#unready.delete(name);
  }

  /** Whether the client may lack a cluster that it was sent. */
  waits(view: ResourceView, now: number): boolean {
    this.#deadline = undefined;
    for (const [name, { sinceMs, answered }] of this.#unready) {
      const deadline = sinceMs + this.#timeoutMs;
      if (now >= deadline) this.#unready.delete(name);
      // One that is gone is in no route that is to be sent, and one without endpoints of its own is ready; both may come back.
      const isGone = view.get(typeUrls.cluster, name) === undefined;
      const isReady = answered && view.get(typeUrls.endpoint, name) === undefined;
      if (now < deadline && !isGone && !isReady) this.#deadline = Math.min(this.#deadline ?? deadline, deadline);
    }
    return this.#deadline !== undefined;
  }

  /** When it may stop to wait, as of the last look; undefined when it did not wait. */
  get deadline(): number | undefined {
    return this.#deadline;
  }
}
