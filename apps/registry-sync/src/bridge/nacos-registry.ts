import { type ExportedProvider, type Provider, type RuleDocument, ruleKeysOf } from "@fairlead/dubbo-registry";
import { FairleadError } from "@fairlead/errors";
import type { Logger } from "@fairlead/logging";
import {
  ConfigItems,
  type ConfigKey,
  GroupFollower,
  NacosClient,
  type NacosInstance,
  Registrations,
} from "@fairlead/nacos";
import { ApplicationQuestions } from "./application-questions.ts";
import type { ForeignRegistry, ForeignRegistryEvents } from "./foreign-registry.ts";
import { NacosExport } from "./nacos-export.ts";
import { applicationsIn, NacosInstances } from "./nacos-instances.ts";
import type { NacosSettings } from "./nacos-settings.ts";

export interface NacosRegistryOptions extends NacosSettings {
  readonly servers: string;
  readonly sessionTimeoutMs: number;
  /** What it may say something about, with `*` for anything. @default everything */
  readonly interfaces?: readonly string[] | undefined;
  readonly logger: Logger;
  /** New services are looked for so often. @default 2000 */
  readonly pollMs?: number;
}

const retryMs = 1_000;
const ruleGroup = "dubbo";

/**
 * One namespace and group of a Nacos: interfaces and applications of Dubbo, where the setting says so services of others, and rules. Nacos has
 * no list of rules that could be watched: those are listened to that a consumer of a known provider would look for.
 */
export class NacosRegistry implements ForeignRegistry {
  readonly #options: NacosRegistryOptions;
  readonly #events: ForeignRegistryEvents;
  readonly #client: NacosClient;
  readonly #follower: GroupFollower;
  readonly #registrations: Registrations;
  readonly #items: ConfigItems;
  readonly #questions: ApplicationQuestions;
  readonly #instances: NacosInstances;
  readonly #export: NacosExport;
  #connection = 0;
  /** Services that were pushed while everything was read; undefined: it has been told. */
  #meanwhile: Map<string, readonly NacosInstance[]> | undefined;
  #listening: Promise<void> = Promise.resolve();
  #retry: NodeJS.Timeout | undefined;

  /** @throws FairleadError FL_NACOS_ADDRESS_INVALID */
  constructor(options: NacosRegistryOptions, events: ForeignRegistryEvents) {
    this.#options = options;
    this.#events = events;
    const { logger, group, pollMs = 2_000 } = options;
    const client = new NacosClient(options, {
      onConnected: () => this.#onConnected(),
      onSuspended: () => this.#onSuspended(),
      onPush: (message) => this.#follower.onPush(message) || this.#items.onPush(message),
    });
    this.#client = client;
    this.#follower = new GroupFollower(
      { client, group, logger, pollMs },
      { onAll: (services) => this.#onAll(services), onService: (name, instances) => this.#onService(name, instances) },
    );
    this.#registrations = new Registrations({ client, group, logger });
    this.#items = new ConfigItems({ client, logger }, (key, text) => this.#onItem(key, text));
    this.#questions = new ApplicationQuestions({
      remote: async (application, revision) => await this.#items.read({ dataId: application, group: revision }),
      onProviders: (source, providers) => this.#onAnswer(source, providers),
      interfaces: options.interfaces,
      logger,
    });
    this.#instances = new NacosInstances(this.#questions, options.ordinary);
    this.#export = new NacosExport({ items: this.#items, registrations: this.#registrations, logger });
  }

  get connected(): boolean {
    return this.#client.state === "connected";
  }

  get leftOut(): number {
    return this.#questions.leftOut;
  }

  get asked(): number {
    return this.#questions.size;
  }

  start(): void {
    this.#client.start();
  }

  async stop(): Promise<void> {
    this.#connection++;
    clearTimeout(this.#retry);
    this.#follower.stop();
    this.#items.stop();
    this.#export.stop();
    this.#registrations.stop();
    this.#questions.stop();
    await this.#client.close();
    await this.#listening;
  }

  export(providers: readonly ExportedProvider[]): void {
    this.#export.set(providers);
  }

  #onConnected(): void {
    this.#connection++;
    this.#meanwhile = new Map();
    this.#registrations.onConnected();
    this.#export.onConnected();
    this.#follower.onConnected();
  }

  #onSuspended(): void {
    this.#connection++;
    clearTimeout(this.#retry);
    this.#follower.onSuspended();
    this.#events.onSuspended();
  }

  #onAll(services: ReadonlyMap<string, readonly NacosInstance[]>): void {
    const connection = this.#connection;
    this.#tellAll(services, connection).catch((caught: unknown) => {
      if (connection !== this.#connection) return;
      this.#options.logger.warn({ err: FairleadError.from(caught) }, "a registry could not be read; it is tried again");
      this.#retry = setTimeout(() => this.#onAll(services), retryMs);
    });
  }

  async #tellAll(services: ReadonlyMap<string, readonly NacosInstance[]>, connection: number): Promise<void> {
    this.#questions.begin();
    await Promise.all(applicationsIn(services).map((instance) => this.#questions.prefetch(instance)));
    if (connection !== this.#connection) return;
    const now = new Map([...services, ...(this.#meanwhile ?? [])]);
    for (const name of this.#instances.services) if (!now.has(name)) this.#instances.put(name, []);
    for (const [name, instances] of now) this.#instances.put(name, instances);
    await this.#items.onConnected();
    await this.#items.listen(this.#ruleKeys());
    if (connection !== this.#connection) return;
    for (const [name, instances] of this.#meanwhile ?? []) this.#instances.put(name, instances);
    this.#meanwhile = undefined;
    this.#questions.keep(this.#instances);
    const rules = [...this.#items.texts].flatMap(([key, text]): [string, RuleDocument][] =>
      text.trim() === "" ? [] : [[key.dataId, { form: "item", key: key.dataId, text }]],
    );
    const { asked } = this.#questions;
    this.#events.onAll({ providers: this.#instances.providers, rules: new Map(rules), asked });
  }

  #onService(name: string, instances: readonly NacosInstance[]): void {
    if (this.#meanwhile !== undefined) {
      this.#meanwhile.set(name, instances);
      return;
    }
    for (const [source, providers] of this.#instances.put(name, instances)) this.#events.onProviders(source, providers);
    this.#listen();
  }

  #onAnswer(source: string, providers: readonly Provider[]): void {
    const now = this.#instances.answered(source, providers);
    if (now === undefined || this.#meanwhile !== undefined) return;
    this.#events.onProviders(source, now);
    this.#listen();
  }

  #onItem({ dataId }: ConfigKey, text: string | undefined): void {
    if (this.#meanwhile !== undefined) return;
    const none = text === undefined || text.trim() === "";
    this.#events.onRule(dataId, none ? undefined : { form: "item", key: dataId, text });
  }

  #ruleKeys(): readonly ConfigKey[] {
    const keys = new Set([...this.#instances.providers.values()].flat().flatMap((provider) => ruleKeysOf(provider)));
    return [...keys].map((dataId) => ({ dataId, group: ruleGroup }));
  }

  /** One at a time; what cannot be asked for now is asked again. */
  #listen(): void {
    const connection = this.#connection;
    this.#listening = this.#listening
      .then(async () => {
        if (connection === this.#connection) await this.#items.listen(this.#ruleKeys());
      })
      .catch((caught: unknown) => {
        if (connection !== this.#connection) return;
        this.#options.logger.warn(
          { err: FairleadError.from(caught) },
          "rules could not be listened to; it is tried again",
        );
        clearTimeout(this.#retry);
        this.#retry = setTimeout(() => this.#listen(), retryMs);
      });
  }
}
