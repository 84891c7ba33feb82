import {
  type AskedEndpoint,
  originParameter,
  parseApplicationInstance,
  type Provider,
  type RegistryPaths,
} from "@fairlead/dubbo-registry";
import { ApplicationQuestions, type ApplicationQuestionsOptions } from "./application-questions.ts";
import type { NodeReads } from "./visible-nodes.ts";

export interface ZooKeeperApplicationsOptions extends Omit<ApplicationQuestionsOptions, "remote"> {
  readonly client: NodeReads;
  readonly paths: RegistryPaths;
}

/** All instances. By path, as all that is told of them. */
export interface ApplicationsReading {
  readonly providers: ReadonlyMap<string, readonly Provider[]>;
  /** Those that did not say yet what they serve when they were read. */
  readonly asked: ReadonlyMap<string, AskedEndpoint>;
}

/** What applications register in `/services`. What an instance serves is in the metadata of its revision: in ZooKeeper, or told by itself. */
export class ZooKeeperApplications {
  readonly #options: ZooKeeperApplicationsOptions;
  readonly #questions: ApplicationQuestions;
  /** Readings under way, by path: of several only the last one counts. */
  readonly #readings = new Map<string, symbol>();

  constructor(options: ZooKeeperApplicationsOptions) {
    const { client, paths } = options;
    this.#options = options;
    this.#questions = new ApplicationQuestions({
      ...options,
      remote: async (application, revision) =>
        (await client.read(paths.metadata(application, revision)))?.data.toString("utf8"),
    });
  }

  /** Instances that do not say what they serve, and are asked again. */
  get asked(): number {
    return this.#questions.size;
  }

  get leftOut(): number {
    return this.#questions.leftOut;
  }

  async readAll(): Promise<ApplicationsReading> {
    const { client, paths } = this.#options;
    const providers = new Map<string, readonly Provider[]>();
    const there = new Set<string>();
    this.#questions.begin();
    const applications = (await client.children(paths.servicesRoot)) ?? [];
    await Promise.all(
      applications.map(async (application) => {
        const nodes = (await client.children(paths.application(application))) ?? [];
        await Promise.all(
          nodes.map(async (node) => {
            const path = paths.instance(application, node);
            there.add(path);
            const found = await this.read(path);
            if (found !== undefined && found.length > 0) providers.set(path, found);
          }),
        );
      }),
    );
    this.#questions.keep(there);
    return { providers, asked: this.#questions.asked };
  }

  /**
   * What is at the path of an instance.
   *
   * @returns undefined where there is nothing to tell: it is being asked, or was forgotten or read anew meanwhile, and what was read is old
   */
  async read(path: string): Promise<readonly Provider[] | undefined> {
    const { client } = this.#options;
    this.forget(path);
    const reading = Symbol(path);
    this.#readings.set(path, reading);
    const isLast = () => this.#readings.get(path) === reading;
    try {
      const read = await client.read(path);
      const instance = read === undefined ? undefined : parseApplicationInstance(read.data.toString("utf8"));
      if (instance === undefined || instance.metadata[originParameter] !== undefined) return isLast() ? [] : undefined;
      await this.#questions.prefetch(instance);
      return isLast() ? this.#questions.providersAt(path, instance) : undefined;
    } finally {
      if (isLast()) this.#readings.delete(path);
    }
  }

  forget(path: string): void {
    this.#readings.delete(path);
    this.#questions.forget(path);
  }

  stop(): void {
    this.#questions.stop();
  }
}
