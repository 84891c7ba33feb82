import type { Logger } from "@fairlead/logging";
import type { WatchEventType } from "./connection.ts";
import { isWithin, OneShotTree, type TreeShape, type WatchingReads } from "./one-shot-tree.ts";
import { isRefusal } from "./zookeeper-error.ts";

export interface WatchedPathsOptions {
  /** Whether the server is asked for recursive watches. */
  readonly recursive: boolean;
  readonly reads: WatchingReads;
  readonly onChange: (type: WatchEventType, path: string) => void;
  readonly logger: Pick<Logger, "info">;
}

/** What a client wants to be told of: recursively where the server takes that, else node by node. */
export class WatchedPaths {
  readonly #options: WatchedPathsOptions;
  readonly #recursively = new Set<string>();
  readonly #oneByOne: OneShotTree;
  #recursive: boolean;

  constructor(options: WatchedPathsOptions) {
    this.#options = options;
    this.#recursive = options.recursive;
    this.#oneByOne = new OneShotTree(options.reads, options.onChange);
  }

  /** Whether a watch has shown that the server has what came with ZooKeeper 3.6. */
  get areRecursive(): boolean {
    return this.#recursive && this.#recursively.size > 0;
  }

  /** @param add asks the server for a recursive watch */
  async watch(path: string, shape: TreeShape, add: (path: string) => Promise<unknown>): Promise<void> {
    if (this.#recursively.has(path)) return;
    if (this.#recursive) {
      try {
        await add(path);
        this.#recursively.add(path);
        return;
      } catch (error) {
        if (!isRefusal(error, "unimplemented")) throw error;
        // Such a server ends the connection, too.
        this.#recursive = false;
        this.#options.logger.info({ path }, "the ZooKeeper is older than 3.6: each of its nodes is watched by itself");
      }
    }
    await this.#oneByOne.watch(path, shape);
  }

  /** Watches end with their connection; node by node they are set when the tree is read again. */
  async setAgain(add: (path: string) => Promise<unknown>): Promise<void> {
    await Promise.all([...this.#recursively].map(add));
  }

  /** @returns nothing where the watch is recursive; else when that of the node is set again. @throws where that fails */
  onEvent(type: WatchEventType, path: string): Promise<void> | undefined {
    if (![...this.#recursively].some((root) => isWithin(path, root))) return this.#oneByOne.onEvent(type, path);
    this.#options.onChange(type, path);
    return undefined;
  }
}
