import {
  type ApplicationInstance,
  type ApplicationMetadata,
  metadataServiceOf,
  originParameter,
  parseApplicationInstance,
  parseApplicationMetadata,
  type Provider,
  providersOf,
  type RegistryPaths,
} from "@fairlead/dubbo-registry";
import type { Logger } from "@fairlead/logging";
import { fetchMetadata } from "./metadata-client.ts";
import type { NodeReads } from "./visible-nodes.ts";

export interface ZooKeeperApplicationsOptions {
  readonly client: NodeReads;
  readonly paths: RegistryPaths;
  /** What an instance serves is known now, where it was not when it was read. */
  readonly onProviders: (source: string, providers: readonly Provider[]) => void;
  readonly logger: Logger;
}

const fetchTimeoutMs = 3_000;
const firstRetryMs = 500;
const maxRetryMs = 30_000;
/** Instances that are asked at a time. */
const maxFetches = 64;

/**
 * What applications register in `/services`. What an instance serves is in the metadata of its revision: in ZooKeeper, or told by the instance
 * itself; then it is asked until it answers, as a consumer that gives up after one failure has no provider until it is restarted. Who is slow or
 * cannot be reached holds up nobody else.
 */
export class ZooKeeperApplications {
  readonly #options: ZooKeeperApplicationsOptions;
  /** By application and revision: one that was read once is never another. */
  readonly #known = new Map<string, ApplicationMetadata>();
  /** Instances whose metadata is asked for, by path. */
  readonly #asked = new Map<string, { readonly instance: ApplicationInstance; timer: NodeJS.Timeout | undefined }>();
  /** Readings under way, by path: of several only the last one counts. */
  readonly #readings = new Map<string, symbol>();
  readonly #waiting: (() => void)[] = [];
  #fetching = 0;

  constructor(options: ZooKeeperApplicationsOptions) {
    this.#options = options;
  }

  /** Instances that do not say what they serve, and are asked again. */
  get unknown(): number {
    return this.#asked.size;
  }

  async readAll(): Promise<Map<string, readonly Provider[]>> {
    const { client, paths } = this.#options;
    const found = new Map<string, readonly Provider[]>();
    const there = new Set<string>();
    const applications = (await client.children(paths.servicesRoot)) ?? [];
    await Promise.all(
      applications.map(async (application) => {
        const nodes = (await client.children(paths.application(application))) ?? [];
        await Promise.all(
          nodes.map(async (node) => {
            const path = paths.instance(application, node);
            there.add(path);
            const providers = await this.read(path);
            if (providers !== undefined && providers.length > 0) found.set(path, providers);
          }),
        );
      }),
    );
    for (const path of this.#asked.keys()) if (!there.has(path)) this.forget(path);
    return found;
  }

  /**
   * What is at the path of an instance; nothing also while it is being asked.
   *
   * @returns undefined where it was forgotten or read anew meanwhile: what was read is old
   */
  async read(path: string): Promise<readonly Provider[] | undefined> {
    this.forget(path);
    const reading = Symbol(path);
    this.#readings.set(path, reading);
    try {
      return await this.#read(path, () => this.#readings.get(path) === reading);
    } finally {
      if (this.#readings.get(path) === reading) this.#readings.delete(path);
    }
  }

  async #read(path: string, isLast: () => boolean): Promise<readonly Provider[] | undefined> {
    const { client, paths } = this.#options;
    const read = await client.read(path);
    const instance = read === undefined ? undefined : parseApplicationInstance(read.data.toString("utf8"));
    if (instance === undefined || instance.metadata[originParameter] !== undefined) return isLast() ? [] : undefined;
    const { application, revision, storage } = instance;
    if (revision === undefined) return isLast() ? [] : undefined;
    const key = `${application} ${revision}`;
    if (!this.#known.has(key) && storage === "remote") {
      const remote = await client.read(paths.metadata(application, revision));
      const metadata = remote === undefined ? undefined : parseApplicationMetadata(remote.data.toString("utf8"));
      if (metadata !== undefined) this.#known.set(key, metadata);
    }
    if (!isLast()) return undefined;
    const metadata = this.#known.get(key);
    if (metadata !== undefined) return providersOf(instance, metadata);
    // Where metadata should be in ZooKeeper and is not, the instance may have been faster than its metadata.
    this.#ask(path, instance, firstRetryMs, storage === "local" ? 0 : firstRetryMs);
    return [];
  }

  forget(path: string): void {
    this.#readings.delete(path);
    clearTimeout(this.#asked.get(path)?.timer);
    this.#asked.delete(path);
  }

  stop(): void {
    for (const path of this.#asked.keys()) this.forget(path);
  }

  #ask(path: string, instance: ApplicationInstance, retryMs: number, delayMs: number): void {
    const question = { instance, timer: setTimeout(() => void this.#askNow(path, question, retryMs), delayMs) };
    this.#asked.set(path, question);
  }

  async #askNow(path: string, question: { readonly instance: ApplicationInstance }, retryMs: number): Promise<void> {
    const { logger, onProviders } = this.#options;
    const { instance } = question;
    try {
      const metadata = await this.#metadataOf(instance);
      if (this.#asked.get(path) !== question) return;
      this.#asked.delete(path);
      onProviders(path, providersOf(instance, metadata));
    } catch (error) {
      if (this.#asked.get(path) !== question) return;
      const level = retryMs === firstRetryMs ? "warn" : "debug";
      logger[level](
        { instance: path, reason: error instanceof Error ? error.message : String(error) },
        "an instance of an application does not say what it serves; it is asked again",
      );
      this.#ask(path, instance, Math.min(retryMs * 2, maxRetryMs), retryMs);
    }
  }

  async #metadataOf(instance: ApplicationInstance): Promise<ApplicationMetadata> {
    const { client, paths } = this.#options;
    const { application, storage } = instance;
    const revision = instance.revision!;
    const key = `${application} ${revision}`;
    if (this.#fetching >= maxFetches) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#fetching++;
    try {
      // Another instance of the revision may have told meanwhile.
      const known = this.#known.get(key);
      if (known !== undefined) return known;
      let metadata: ApplicationMetadata | undefined;
      if (storage === "remote") {
        const remote = await client.read(paths.metadata(application, revision));
        metadata = remote === undefined ? undefined : parseApplicationMetadata(remote.data.toString("utf8"));
        if (metadata === undefined) throw new Error(`there is no metadata of revision ${revision} in the registry`);
      } else {
        const service = metadataServiceOf(instance);
        if (service === undefined) throw new Error("it does not say where it can be asked");
        if (service.protocol !== "dubbo")
          throw new Error(`it wants to be asked over ${service.protocol}, not over dubbo`);
        metadata = await fetchMetadata({ service, application, revision, timeoutMs: fetchTimeoutMs });
      }
      this.#known.set(key, metadata);
      return metadata;
    } finally {
      this.#fetching--;
      this.#waiting.shift()?.();
    }
  }
}
