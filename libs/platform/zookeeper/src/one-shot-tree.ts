import type { WatchEventType } from "./connection.ts";

/** What a tree is read with: each answers undefined for a node that is not there, and then tells once of its next change. */
export interface WatchingReads {
  children(path: string): Promise<string[] | undefined>;
  data(path: string): Promise<unknown>;
  exists(path: string): Promise<unknown>;
}

export interface TreeShape {
  /** Below the path; nodes of the last level are not listed. */
  readonly levels: number;
  /** Whose data matters, besides that they are there. */
  readonly data: (path: string) => boolean;
}

export function isWithin(path: string, root: string): boolean {
  return root === "/" || path === root || path.startsWith(`${root}/`);
}

interface Tree {
  readonly root: string;
  readonly shape: TreeShape;
  /** By the path of what was listed. */
  readonly children: Map<string, ReadonlySet<string>>;
}

/**
 * What a recursive watch tells, made of watches that tell once: for servers before 3.6. A watch is set again by the reading that finds out
 * what has changed, so that nothing is missed, and a lost connection costs one reading of the tree instead of a list of all watches.
 */
export class OneShotTree {
  readonly #reads: WatchingReads;
  readonly #onChange: (type: WatchEventType, path: string) => void;
  readonly #trees = new Map<string, Tree>();

  constructor(reads: WatchingReads, onChange: (type: WatchEventType, path: string) => void) {
    this.#reads = reads;
    this.#onChange = onChange;
  }

  /** From now on; what is there already is not told. */
  async watch(root: string, shape: TreeShape): Promise<void> {
    const tree: Tree = { root, shape, children: new Map() };
    this.#trees.set(root, tree);
    await this.#read(tree, root, false);
  }

  /** A watch has told. @throws as its reading does: then the tree is to be watched anew */
  async onEvent(type: WatchEventType, path: string): Promise<void> {
    const tree = [...this.#trees.values()].find(({ root }) => isWithin(path, root));
    if (tree === undefined) return;
    if (type === "data") {
      await this.#reads.data(path);
      this.#onChange("data", path);
    } else if (type === "children") {
      await this.#list(tree, path, true);
    } else if (type === "created" && path === tree.root) {
      await this.#read(tree, path, true);
    } else if (type === "deleted" && path === tree.root) {
      await this.#read(tree, path, false);
    }
    // Of others that come and go, their parents tell.
  }

  async #read(tree: Tree, path: string, tell: boolean): Promise<void> {
    const level = path === tree.root ? 0 : path.slice(tree.root.length).split("/").length - 1;
    const watched: Promise<unknown>[] = [];
    if (tree.shape.data(path)) watched.push(this.#reads.data(path));
    if (level < tree.shape.levels) watched.push(this.#list(tree, path, tell));
    await Promise.all(watched);
  }

  async #list(tree: Tree, path: string, tell: boolean): Promise<void> {
    const found = await this.#reads.children(path);
    const before = tree.children.get(path) ?? new Set();
    if (found === undefined) {
      tree.children.delete(path);
      // The root is waited for; of all else its parent tells.
      if (path === tree.root && (await this.#reads.exists(path)) !== undefined) await this.#list(tree, path, tell);
      return;
    }
    const now = new Set(found);
    tree.children.set(path, now);
    for (const name of before) {
      if (now.has(name)) continue;
      this.#forget(tree, `${path}/${name}`);
      if (tell) this.#onChange("deleted", `${path}/${name}`);
    }
    const added = found.filter((name) => !before.has(name));
    for (const name of added) if (tell) this.#onChange("created", `${path}/${name}`);
    await Promise.all(added.map((name) => this.#read(tree, `${path}/${name}`, tell)));
  }

  #forget(tree: Tree, path: string): void {
    for (const listed of tree.children.keys())
      if (listed === path || listed.startsWith(`${path}/`)) tree.children.delete(listed);
  }
}
