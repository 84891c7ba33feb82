import {
  type ApplicationInstance,
  type ApplicationMetadata,
  metadataServiceOf,
  parseApplicationMetadata,
  type Provider,
  providersOf,
} from "@fairlead/dubbo-registry";
import type { Logger } from "@fairlead/logging";
import { fetchMetadata } from "./metadata-client.ts";

export interface ApplicationQuestionsOptions {
  /** The metadata of a revision in the registry, as text. */
  readonly remote: (application: string, revision: string) => Promise<string | undefined>;
  /** What an instance serves is known now, where it was not when it was read. */
  readonly onProviders: (source: string, providers: readonly Provider[]) => void;
  readonly logger: Logger;
}

const fetchTimeoutMs = 3_000;
const firstRetryMs = 500;
const maxRetryMs = 30_000;
/** Instances that are asked at a time. */
const maxFetches = 16;

/**
 * What instances of applications serve: it is in the metadata of their revision, in the registry, or told by the instance itself; then it is
 * asked until it answers, as a consumer that gives up after one failure has no provider until it is restarted. Who is slow or cannot be
 * reached holds up nobody else.
 */
export class ApplicationQuestions {
  readonly #options: ApplicationQuestionsOptions;
  /** By application and revision: one that was read once is never another. */
  readonly #known = new Map<string, ApplicationMetadata>();
  /** Instances whose metadata is asked for, by source. */
  readonly #asked = new Map<string, { readonly instance: ApplicationInstance; timer: NodeJS.Timeout | undefined }>();
  readonly #waiting: (() => void)[] = [];
  #fetching = 0;

  constructor(options: ApplicationQuestionsOptions) {
    this.#options = options;
  }

  get sources(): Iterable<string> {
    return this.#asked.keys();
  }

  /** Reads from the registry what it has of a revision, where that is not known yet; what is not there is asked for later. */
  async prefetch({ application, revision, storage }: ApplicationInstance): Promise<void> {
    const key = `${application} ${revision}`;
    if (revision === undefined || storage !== "remote" || this.#known.has(key)) return;
    const remote = await this.#options.remote(application, revision);
    const metadata = remote === undefined ? undefined : parseApplicationMetadata(remote);
    if (metadata !== undefined) this.#known.set(key, metadata);
  }

  /** What the instance at a source serves; nothing while it is being asked. */
  providersAt(source: string, instance: ApplicationInstance): readonly Provider[] {
    this.forget(source);
    const { application, revision, storage } = instance;
    if (revision === undefined) return [];
    const metadata = this.#known.get(`${application} ${revision}`);
    if (metadata !== undefined) return providersOf(instance, metadata);
    // Where metadata should be in the registry and is not, the instance may have been faster than its metadata.
    this.#ask(source, instance, firstRetryMs, storage === "local" ? 0 : firstRetryMs);
    return [];
  }

  forget(source: string): void {
    clearTimeout(this.#asked.get(source)?.timer);
    this.#asked.delete(source);
  }

  stop(): void {
    for (const source of this.#asked.keys()) this.forget(source);
  }

  #ask(source: string, instance: ApplicationInstance, retryMs: number, delayMs: number): void {
    const question = { instance, timer: setTimeout(() => void this.#askNow(source, question, retryMs), delayMs) };
    this.#asked.set(source, question);
  }

  async #askNow(source: string, question: { readonly instance: ApplicationInstance }, retryMs: number): Promise<void> {
    const { logger, onProviders } = this.#options;
    const { instance } = question;
    try {
      const metadata = await this.#metadataOf(instance);
      if (this.#asked.get(source) !== question) return;
      this.#asked.delete(source);
      onProviders(source, providersOf(instance, metadata));
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

  async #metadataOf(instance: ApplicationInstance): Promise<ApplicationMetadata> {
    const { application, storage } = instance;
    const revision = instance.revision!;
    const key = `${application} ${revision}`;
    if (this.#fetching >= maxFetches) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#fetching++;
    try {
      // Another instance of the revision may have told meanwhile.
      const known = this.#known.get(key);
      if (known !== undefined) return known;
      if (storage === "remote") {
        await this.prefetch(instance);
        const metadata = this.#known.get(key);
        if (metadata === undefined) throw new Error(`there is no metadata of revision ${revision} in the registry`);
        return metadata;
      }
      const service = metadataServiceOf(instance);
      if (service === undefined) throw new Error("it does not say where it can be asked");
      if (service.protocol !== "dubbo")
        throw new Error(`it wants to be asked over ${service.protocol}, not over dubbo`);
      const metadata = await fetchMetadata({ service, application, revision, timeoutMs: fetchTimeoutMs });
      this.#known.set(key, metadata);
      return metadata;
    } finally {
      this.#fetching--;
      this.#waiting.shift()?.();
    }
  }
}
