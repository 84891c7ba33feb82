import { FairleadError } from "@fairlead/errors";
import { type InstanceState, instanceKey } from "@fairlead/model";
import type { PublicationAnswer, ServiceBody, ServiceReference } from "@fairlead/registration";
import { metrics, type ObservableGauge, type ObservableResult } from "@opentelemetry/api";
import type { HeldPublication } from "../registry/registry.ts";
import { Publication, type PublicationParts } from "./publication.ts";
import type { PublicationStatus } from "./publication-record.ts";
import "../errors.ts";

const maxPublications = 1000;
const states: readonly InstanceState[] = ["warming", "ready", "draining"];

export interface PublicationsOptions extends Pick<PublicationParts, "registry" | "proxy" | "now"> {
  readonly nodeId: string;
}

/** What the application has published, by the registry's key. */
export class Publications {
  readonly #options: PublicationsOptions;
  readonly #byKey = new Map<string, Publication>();
  readonly #gauge: ObservableGauge;
  readonly #observe: (result: ObservableResult) => void;

  constructor(options: PublicationsOptions) {
    this.#options = options;
    this.#gauge = metrics.getMeter("fairlead").createObservableGauge("fairlead_sidecar_publications", {
      description: "What the application has published, by state (warming, ready, draining).",
    });
    this.#observe = (result) => {
      const all = this.list();
      for (const state of states)
        result.observe(all.filter((publication) => publication.state === state).length, { state });
    };
    this.#gauge.addCallback(this.#observe);
  }

  /** See `Publication.publish`. */
  async publish(service: ServiceBody, waitMs: number | undefined): Promise<PublicationAnswer> {
    return await this.#get(service).publish(service, waitMs);
  }

  /** See `Publication.withdraw`. What this sidecar does not hold is left to the registry. */
  async withdraw(reference: ServiceReference, waitMs: number | undefined): Promise<PublicationAnswer> {
    const found = [...this.#byKey.values()].filter(({ service }) => refersTo(reference, service));
    if (found.length > 1) {
      const ports = found.map(({ service }) => String(service.port));
      throw new FairleadError(
        "FL_REQUEST_INVALID",
        `${reference.interface} is published at several ports (${ports.join(", ")}): name one in service.port`,
        {
          facts: { problems: ["body.service.port: it is needed here"], ports },
        },
      );
    }
    const [publication] = found;
    if (publication === undefined)
      return await this.#options.registry.unpublish(reference, waitMs === undefined ? {} : { waitMs });
    return await publication.withdraw(waitMs);
  }

  /** Withdraws all at once, within the time. @returns what could not be withdrawn */
  async withdrawAll(timeoutMs: number): Promise<readonly PublicationStatus[]> {
    await Promise.allSettled(
      [...this.#byKey.values()].map(async (publication) => await publication.withdraw(timeoutMs)),
    );
    return this.list();
  }

  /** The registry has lost this node. */
  restore(): void {
    for (const publication of this.#byKey.values()) publication.restore();
  }

  /** Takes over what the registry has of this node; what the application has published meanwhile is newer. */
  adopt(held: readonly HeldPublication[]): void {
    for (const { service, state } of held) {
      if (!this.#byKey.has(this.#keyOf(service))) this.#get(service).adopt(state);
    }
  }

  list(): readonly PublicationStatus[] {
    return [...this.#byKey.values()].map((publication) => publication.status());
  }

  close(): void {
    this.#gauge.removeCallback(this.#observe);
    for (const publication of this.#byKey.values()) publication.abandon();
  }

  #keyOf(service: ServiceBody): string {
    return instanceKey({ ...service, nodeId: this.#options.nodeId });
  }

  #get(service: ServiceBody): Publication {
    const key = this.#keyOf(service);
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    if (this.#byKey.size >= maxPublications) {
      throw new FairleadError("FL_TOO_MANY_REGISTRATIONS", `this sidecar already has ${maxPublications} publications`, {
        facts: { limit: maxPublications },
      });
    }
    const publication: Publication = new Publication(service, {
      registry: this.#options.registry,
      proxy: this.#options.proxy,
      now: this.#options.now,
      isPortShared: () =>
        [...this.#byKey.values()].some(
          (other) => other !== publication && other.service.port === publication.service.port,
        ),
      gone: () => {
        if (this.#byKey.get(key) === publication) this.#byKey.delete(key);
      },
    });
    this.#byKey.set(key, publication);
    return publication;
  }
}

function refersTo(reference: ServiceReference, service: ServiceBody): boolean {
  return (
    reference.interface === service.interface &&
    reference.protocol === service.protocol &&
    reference.version === service.version &&
    reference.group === service.group &&
    (reference.port === undefined || reference.port === service.port)
  );
}
