import { createHash } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import type { Logger } from "@fairlead/logging";
import { z } from "zod";
import { eachOf } from "./each-of.ts";
import type { NacosClient } from "./nacos-client.ts";
import { isRefusal, unavailable } from "./nacos-error.ts";
import type { Message } from "./payload.ts";

export interface ConfigItemsOptions {
  readonly client: Pick<NacosClient, "request" | "namespace">;
  readonly logger: Logger;
}

/** An item of Nacos' configuration. */
export interface ConfigKey {
  readonly dataId: string;
  readonly group: string;
}

const querySchema = z.object({ content: z.string().nullish() });
const changedSchema = z.object({
  changedConfigs: z.array(z.object({ dataId: z.string(), group: z.string() })).nullish(),
});
const notFound = 300;
const listenedAtATime = 500;
const queriesAtATime = 20;
const retryMs = 1_000;
const maxAttempts = 10;
const shownAfterMs = 100;

/** Reads and writes items, and tells of those that it was asked to listen to, whether they are there or not. */
export class ConfigItems {
  readonly #options: ConfigItemsOptions;
  readonly #onItem: (key: ConfigKey, text: string | undefined) => void;
  /** What is listened to, with what was read; undefined: there is none. */
  readonly #listened = new Map<string, { readonly key: ConfigKey; text: string | undefined }>();
  #connection = 0;
  #retry: NodeJS.Timeout | undefined;

  constructor(options: ConfigItemsOptions, onItem: (key: ConfigKey, text: string | undefined) => void) {
    this.#options = options;
    this.#onItem = onItem;
  }

  /** @returns undefined where there is none @throws FairleadError FL_NACOS_UNAVAILABLE, FL_NACOS_REFUSED, as all below */
  async read({ dataId, group }: ConfigKey): Promise<string | undefined> {
    try {
      const answer = await this.#options.client.request("ConfigQueryRequest", { dataId, group, tenant: this.#tenant });
      return querySchema.parse(answer).content ?? undefined;
    } catch (error) {
      if (isRefusal(error, notFound)) return undefined;
      throw error;
    }
  }

  /** @param before what it says now: not written where it says something else. @default any */
  async write({ dataId, group }: ConfigKey, content: string, before?: string): Promise<void> {
    const casMd5 = before === undefined ? undefined : md5(before);
    await this.#options.client.request("ConfigPublishRequest", { dataId, group, tenant: this.#tenant, content, casMd5, additionMap: {} }); // prettier-ignore
  }

  /**
   * Adds a word to a list with commas that all share; words are never taken out. It is looked at again after each writing: Nacos 2.2 answers
   * a compare and set that has failed like one that has not, and shows what was written a little later.
   */
  async addWord(key: ConfigKey, word: string): Promise<void> {
    for (let attempt = 1; attempt <= maxAttempts; attempt++) {
      const text = await this.read(key);
      const words = (text ?? "").split(",").filter((one) => one !== "");
      if (words.includes(word)) return;
      await this.write(key, [...words, word].join(","), text).catch((error: unknown) => {
        if (!isRefusal(error)) throw error;
      });
      await pause(shownAfterMs * attempt);
    }
    throw unavailable(`${word} could not be added to the item ${key.dataId} of ${key.group}`);
  }

  /** Listens to these from now on, and to no others; resolves when each has been read. */
  async listen(keys: readonly ConfigKey[]): Promise<void> {
    const wanted = new Map(keys.map((key) => [idOf(key), key]));
    const gone = [...this.#listened].filter(([id]) => !wanted.has(id));
    const fresh = [...wanted].filter(([id]) => !this.#listened.has(id));
    for (const [id] of gone) this.#listened.delete(id);
    for (const [id, key] of fresh) this.#listened.set(id, { key, text: undefined });
    await this.#send(gone.map(([, { key }]) => key), false); // prettier-ignore
    await this.#check(fresh.map(([, key]) => key));
  }

  /** What all that are listened to say. */
  get texts(): ReadonlyMap<ConfigKey, string> {
    return new Map([...this.#listened.values()].flatMap(({ key, text }) => (text === undefined ? [] : [[key, text]])));
  }

  /** Over a new connection nothing is listened to: everything is read again, and changes are told. */
  async onConnected(): Promise<void> {
    this.#connection++;
    await this.#check([...this.#listened.values()].map(({ key }) => key));
  }

  stop(): void {
    this.#connection++;
    clearTimeout(this.#retry);
  }

  /** @returns whether the message was for it */
  onPush({ type, body }: Message): boolean {
    if (type !== "ConfigChangeNotifyRequest") return false;
    const [dataId, group] = [body["dataId"], body["group"]];
    const found = typeof dataId === "string" && typeof group === "string" ? this.#listened.get(idOf({ dataId, group })) : undefined; // prettier-ignore
    if (found !== undefined) this.#readAgain(found.key);
    return true;
  }

  #readAgain(key: ConfigKey): void {
    const connection = this.#connection;
    this.#check([key]).catch((error: unknown) => {
      if (connection !== this.#connection) return;
      const reason = error instanceof Error ? error.message : String(error);
      this.#options.logger.warn(
        { dataId: key.dataId, reason },
        "an item of Nacos could not be read; it is tried again",
      );
      this.#retry = setTimeout(() => this.#readAgain(key), retryMs);
    });
  }

  get #tenant(): string {
    const { namespace } = this.#options.client;
    return namespace === "public" ? "" : namespace;
  }

  /** Asks which of these are not what is known, and reads those. */
  async #check(keys: readonly ConfigKey[]): Promise<void> {
    const changed = await this.#send(keys, true);
    if (changed.length === 0) return;
    await eachOf(changed, queriesAtATime, async (key) => {
      const text = await this.read(key);
      const entry = this.#listened.get(idOf(key));
      if (entry === undefined || entry.text === text) return;
      entry.text = text;
      this.#onItem(entry.key, text);
    });
    // It may have changed while it was read: the server compares again.
    await this.#check(changed.filter((key) => this.#listened.has(idOf(key))));
  }

  async #send(keys: readonly ConfigKey[], listen: boolean): Promise<readonly ConfigKey[]> {
    const changed: ConfigKey[] = [];
    for (let from = 0; from < keys.length; from += listenedAtATime) {
      const configListenContexts = keys.slice(from, from + listenedAtATime).map((key) => {
        const text = this.#listened.get(idOf(key))?.text;
        return { ...key, tenant: this.#tenant, md5: text === undefined ? "" : md5(text) };
      });
      const answer = await this.#options.client.request("ConfigBatchListenRequest", { listen, configListenContexts });
      changed.push(...(changedSchema.parse(answer).changedConfigs ?? []));
    }
    return listen ? changed : [];
  }
}

function idOf({ dataId, group }: ConfigKey): string {
  return `${group} ${dataId}`;
}

function md5(text: string): string {
  return createHash("md5").update(text, "utf8").digest("hex");
}
