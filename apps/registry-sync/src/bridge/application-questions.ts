import {
  type ApplicationInstance,
  type ApplicationMetadata,
  type AskedEndpoint,
  metadataServiceOf,
  parseApplicationMetadata,
  type Provider,
  providersOf,
} from "@fairlead/dubbo-registry";
import type { Logger } from "@fairlead/logging";
import { fetchMetadata } from "./metadata-client.ts";
import { isMeant } from "./provider-sieve.ts";
import { QuestionLane } from "./question-lane.ts";
import { SharedLimit } from "./shared-limit.ts";

export interface ApplicationQuestionsOptions {
  /** The metadata of a revision in the registry, as text. */
  readonly remote: (application: string, revision: string) => Promise<string | undefined>;
  /** What an instance serves is known now, where it was not when it was read. */
  readonly onProviders: (source: string, providers: readonly Provider[]) => void;
  /** What the registry may say something about, with `*` for anything. @default everything */
  readonly interfaces?: readonly string[] | undefined;
  /** Of all instances; more are left out. @default 200000 */
  readonly maxProviders?: number;
  /** Of one revision's metadata; more are left out. @default 10000 */
  readonly maxServices?: number;
  readonly logger: Logger;
}

interface Question {
  readonly instance: ApplicationInstance;
  timer: NodeJS.Timeout | undefined;
}

/** Short, so that those who can be reached are not long behind thousands who cannot; who is slow has more time later. */
const firstTimeoutMs = 1_000;
const fetchTimeoutMs = 3_000;
const firstRetryMs = 500;
const maxRetryMs = 30_000;
const perAddress = 4;
const maxFetches = 256;
/** Of the registry itself. */
const maxReads = 16;
/** Revisions that nobody has are forgotten when there are so many more than at the last look: who restarts has its own again. */
const spareRevisions = 1_000;

/**
 * What instances of applications serve: it is in the metadata of their revision, in the registry, or told by the instance itself; then it is
 * asked until it answers, as a consumer that gives up after one failure has no provider until it is restarted. Who is slow or cannot be
 * reached holds up nobody else.
 */
export class ApplicationQuestions {
  readonly #options: ApplicationQuestionsOptions;
  /** By application and revision: one that was read once is never another. */
  readonly #known = new Map<string, ApplicationMetadata>();
  readonly #servicesLeftOut = new Map<string, number>();
  readonly #limit: SharedLimit;
  /** The revision of each source, and the sources of each revision. */
  readonly #revisionOf = new Map<string, string>();
  readonly #sourcesOf = new Map<string, Set<string>>();
  /** While everything is read nobody knows yet which revisions are in use. */
  #pruneAt = Infinity;
  /** Instances whose metadata is asked for, by source. */
  readonly #asked = new Map<string, Question>();
  /** Those who are asked for the first time do not wait for those who have not answered before. */
  readonly #first = new QuestionLane({ total: maxFetches, perAddress });
  readonly #again = new QuestionLane({ total: maxFetches, perAddress });
  readonly #reads = new QuestionLane({ total: maxReads, perAddress: maxReads });

  constructor(options: ApplicationQuestionsOptions) {
    this.#options = options;
    this.#limit = new SharedLimit(options.maxProviders ?? 200_000);
  }

  /** Services and providers beyond the limits. */
  get leftOut(): number {
    let services = 0;
    for (const count of this.#servicesLeftOut.values()) services += count;
    return services + this.#limit.leftOut;
  }

  /** Instances that do not say what they serve, and are asked again. */
  get size(): number {
    return this.#asked.size;
  }

  /** The same by source. */
  get asked(): ReadonlyMap<string, AskedEndpoint> {
    return new Map([...this.#asked].map(([source, { instance }]) => [source, endpointOf(instance)]));
  }

  /** Revisions that are remembered. */
  get known(): number {
    return this.#known.size;
  }

  /** Everything is read: what is prefetched from now on is in use, though no source has it yet. */
  begin(): void {
    this.#pruneAt = Infinity;
  }

  /** Everything was read: others than these sources are gone, and so are revisions that only they had. */
  keep(sources: { has(source: string): boolean }): void {
    for (const source of this.#revisionOf.keys()) if (!sources.has(source)) this.forget(source);
    this.#prune();
  }

  /** Reads from the registry what it has of a revision, where that is not known yet; what is not there is asked for later. */
  async prefetch({ application, revision, storage }: ApplicationInstance): Promise<void> {
    const key = `${application} ${revision}`;
    if (revision === undefined || storage !== "remote" || this.#known.has(key)) return;
    const remote = await this.#options.remote(application, revision);
    const metadata = remote === undefined ? undefined : parseApplicationMetadata(remote);
    if (metadata !== undefined) this.#learn(key, metadata);
  }

  /** What the instance at a source serves; undefined while it is being asked. */
  providersAt(source: string, instance: ApplicationInstance): readonly Provider[] | undefined {
    this.forget(source);
    const { application, revision, storage } = instance;
    if (revision === undefined) return [];
    const key = `${application} ${revision}`;
    this.#revisionOf.set(source, key);
    const sources = this.#sourcesOf.get(key);
    if (sources === undefined) this.#sourcesOf.set(key, new Set([source]));
    else sources.add(source);
    const metadata = this.#known.get(key);
    if (metadata !== undefined) return this.#providersOf(source, instance, metadata);
    // Where metadata should be in the registry and is not, the instance may have been faster than its metadata.
    this.#ask(source, instance, firstRetryMs, storage === "local" ? 0 : firstRetryMs);
    return undefined;
  }

  forget(source: string): void {
    clearTimeout(this.#asked.get(source)?.timer);
    this.#asked.delete(source);
    this.#limit.grant(source, 0);
    const key = this.#revisionOf.get(source);
    if (key === undefined) return;
    this.#revisionOf.delete(source);
    const sources = this.#sourcesOf.get(key);
    sources?.delete(source);
    if (sources?.size === 0) this.#sourcesOf.delete(key);
  }

  stop(): void {
    for (const source of this.#asked.keys()) this.forget(source);
  }

  #learn(key: string, told: ApplicationMetadata): void {
    if (this.#known.size >= this.#pruneAt) this.#prune();
    const metadata = this.#taken(key, told);
    this.#known.set(key, metadata);
    // Also those of the revision who do not answer, or are to be asked later.
    for (const source of this.#sourcesOf.get(key) ?? []) {
      const question = this.#asked.get(source);
      if (question !== undefined) this.#answer(source, question, metadata);
    }
  }

  /** What the mesh takes of a revision's metadata. */
  #taken(key: string, metadata: ApplicationMetadata): ApplicationMetadata {
    const { interfaces, maxServices = 10_000, logger } = this.#options;
    const services = Object.entries(metadata.services).filter(([, { name }]) => isMeant(name, interfaces));
    const leftOut = services.length - maxServices;
    if (leftOut <= 0) return { ...metadata, services: Object.fromEntries(services) };
    this.#servicesLeftOut.set(key, leftOut);
    logger.warn({ revision: key, leftOut }, "an application has more services than the mesh takes of one: they are left out"); // prettier-ignore
    return { ...metadata, services: Object.fromEntries(services.slice(0, maxServices)) };
  }

  #providersOf(source: string, instance: ApplicationInstance, metadata: ApplicationMetadata): readonly Provider[] {
    const services = Object.entries(metadata.services);
    const before = this.#limit.leftOut;
    const granted = this.#limit.grant(source, services.length);
    if (granted === services.length) return providersOf(instance, metadata);
    if (before === 0)
      this.#options.logger.warn({ source }, "instances of applications have more services than the mesh takes: they are left out"); // prettier-ignore
    return providersOf(instance, { ...metadata, services: Object.fromEntries(services.slice(0, granted)) });
  }

  #prune(): void {
    for (const key of this.#known.keys()) {
      if (this.#sourcesOf.has(key)) continue;
      this.#known.delete(key);
      this.#servicesLeftOut.delete(key);
    }
    this.#pruneAt = this.#known.size + spareRevisions;
  }

  #answer(source: string, question: Question, metadata: ApplicationMetadata): void {
    clearTimeout(question.timer);
    this.#asked.delete(source);
    this.#options.onProviders(source, this.#providersOf(source, question.instance, metadata));
  }

  #ask(source: string, instance: ApplicationInstance, retryMs: number, delayMs: number): void {
    const question: Question = { instance, timer: undefined };
    question.timer = setTimeout(() => void this.#askNow(source, question, retryMs), delayMs);
    this.#asked.set(source, question);
  }

  async #askNow(source: string, question: Question, retryMs: number): Promise<void> {
    const { logger } = this.#options;
    const { instance } = question;
    try {
      const isWanted = () => this.#asked.get(source) === question;
      const metadata = await this.#metadataOf(instance, retryMs === firstRetryMs, isWanted);
      if (metadata !== undefined && isWanted()) this.#answer(source, question, metadata);
    } catch (error) {
      if (this.#asked.get(source) !== question) return;
      const level = retryMs === firstRetryMs ? "warn" : "debug";
      logger[level](
        { instance: source, reason: error instanceof Error ? error.message : String(error) },
        "an instance of an application does not say what it serves; it is asked again",
      );
      this.#ask(source, instance, Math.min(retryMs * 2, maxRetryMs), retryMs);
    }
  }

  /** @returns undefined for what nobody wants to know any more when its turn has come */
  async #metadataOf(
    instance: ApplicationInstance,
    isFirst: boolean,
    isWanted: () => boolean,
  ): Promise<ApplicationMetadata | undefined> {
    const { application, storage } = instance;
    const revision = instance.revision!;
    const key = `${application} ${revision}`;
    if (storage === "remote")
      return await this.#reads.run("", async () => {
        if (!isWanted()) return undefined;
        await this.prefetch(instance);
        const metadata = this.#known.get(key);
        if (metadata === undefined) throw new Error(`there is no metadata of revision ${revision} in the registry`);
        return metadata;
      });
    const service = metadataServiceOf(instance);
    if (service === undefined) throw new Error("it does not say where it can be asked");
    if (service.protocol !== "dubbo") throw new Error(`it wants to be asked over ${service.protocol}, not over dubbo`);
    return await (isFirst ? this.#first : this.#again).run(service.address, async () => {
      // Another instance of the revision may have told meanwhile.
      const known = this.#known.get(key);
      if (known !== undefined || !isWanted()) return known;
      const timeoutMs = isFirst ? firstTimeoutMs : fetchTimeoutMs;
      const metadata = await fetchMetadata({ service, application, revision, timeoutMs });
      this.#learn(key, metadata);
      return this.#known.get(key);
    });
  }
}

function endpointOf({ address, port, ports }: ApplicationInstance): AskedEndpoint {
  // Without ports of protocols each service has its own.
  return { address, ports: ports.size === 0 ? [] : [...new Set([port, ...ports.values()])] };
}
