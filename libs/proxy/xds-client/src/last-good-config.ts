import { chmod, mkdir, open, readFile, rename, stat } from "node:fs/promises";
import { join } from "node:path";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { AnySchema } from "@bufbuild/protobuf/wkt";
import { DiscoveryResponseSchema } from "@fairlead/envoy-api/envoy/service/discovery/v3/discovery_pb.js";
import { shortTypeName, typeUrls } from "@fairlead/envoy-api";
import type { AdsLogger } from "./ads-connection.ts";
import type { ReceivedResource } from "./config-consumer.ts";
import { decodeResources } from "./decode-resources.ts";

const knownTypes = [typeUrls.cluster, typeUrls.endpoint, typeUrls.listener, typeUrls.route];
/** Changes come in bursts: the last of them is written. */
const WRITE_AFTER_MS = 1000;

/**
 * The configuration that was applied last, in a folder: one file a type, each a DiscoveryResponse.
 *
 * Who can write there says where traffic goes, so that only files of the proxy's own user which nobody else may write are read;
 * they may hold secrets, so that nobody else may read them. A file is replaced as a whole: a crash leaves the one before.
 */
export class LastGoodConfig {
  readonly folder: string;
  readonly #logger: AdsLogger;
  readonly #types = new Map<string, Map<string, Uint8Array>>();
  readonly #dirty = new Set<string>();
  readonly #writeAfterMs: number;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(folder: string, logger: AdsLogger, writeAfterMs = WRITE_AFTER_MS) {
    this.folder = folder;
    this.#logger = logger;
    this.#writeAfterMs = writeAfterMs;
  }

  /**
   * Notes what was applied.
   *
   * @param wanted the names that are wanted of the type; undefined: `resources` are all there is of it
   */
  keep(typeUrl: string, resources: readonly ReceivedResource[], wanted: readonly string[] | undefined): void {
    const before = wanted === undefined ? undefined : this.#types.get(typeUrl);
    const kept = new Map(before);
    for (const { name, body } of resources) kept.set(name, body);
    if (wanted !== undefined) {
      const names = new Set(wanted);
      for (const name of kept.keys()) if (!names.has(name)) kept.delete(name);
    }
    this.#types.set(typeUrl, kept);
    this.#dirty.add(typeUrl);
    this.#timer ??= setTimeout(() => void this.flush(), this.#writeAfterMs);
    this.#timer.unref();
  }

  /** Resolves when all that was kept is on disk, or could not be written. */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const types = [...this.#dirty];
    this.#dirty.clear();
    this.#writing = this.#writing.then(async () => {
      try {
        if (types.length > 0) await this.#prepareFolder();
        for (const typeUrl of types) await this.#write(typeUrl);
      } catch (error) {
        this.#logger.warn({ err: error, folder: this.folder }, "the last good configuration cannot be written");
      }
    });
    return this.#writing;
  }

  /** By type; empty when there is none, or none that can be trusted. */
  async load(types: readonly string[] = knownTypes): Promise<ReadonlyMap<string, readonly ReceivedResource[]>> {
    const found = new Map<string, readonly ReceivedResource[]>();
    for (const typeUrl of types) {
      const path = this.#pathOf(typeUrl);
      try {
        const bytes = await readTrusted(path);
        if (bytes === undefined) continue;
        const decoded = decodeResources(fromBinary(DiscoveryResponseSchema, bytes));
        if ("unusable" in decoded) throw new Error(JSON.stringify(decoded.unusable.slice(0, 3)));
        found.set(typeUrl, decoded.resources);
        if (!this.#types.has(typeUrl))
          this.#types.set(typeUrl, new Map(decoded.resources.map(({ name, body }) => [name, body])));
      } catch (error) {
        this.#logger.warn({ err: error, path }, "a file of the last good configuration cannot be used");
      }
    }
    return found;
  }

  async #prepareFolder(): Promise<void> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    await chmod(this.folder, 0o700);
  }

  async #write(typeUrl: string): Promise<void> {
    const resources = [...(this.#types.get(typeUrl) ?? new Map<string, Uint8Array>()).values()].map((value) =>
      create(AnySchema, { typeUrl, value }),
    );
    const bytes = toBinary(DiscoveryResponseSchema, create(DiscoveryResponseSchema, { typeUrl, resources }));
    const path = this.#pathOf(typeUrl);
    const temporary = `${path}.new`;
    const file = await open(temporary, "w", 0o600);
    try {
      await file.chmod(0o600);
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  }

  #pathOf(typeUrl: string): string {
    return join(this.folder, `${shortTypeName(typeUrl)}.binpb`);
  }
}

/** @returns undefined for a file that is not there. Rejects for one that others may have written. */
async function readTrusted(path: string): Promise<Uint8Array | undefined> {
  let facts: Awaited<ReturnType<typeof stat>>;
  try {
    facts = await stat(path);
  } catch {
    return undefined;
  }
  if (process.getuid !== undefined && facts.uid !== process.getuid()) throw new Error("it belongs to another user");
  if ((facts.mode & 0o022) !== 0) throw new Error("others may write it");
  return readFile(path);
}
