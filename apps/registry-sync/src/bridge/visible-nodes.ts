import { FairleadError } from "@fairlead/errors";
import type { Logger } from "@fairlead/logging";
import { isRefusal, type ZooKeeperClient } from "@fairlead/zookeeper";

export type NodeReads = Pick<ZooKeeperClient, "children" | "read">;

export interface ManyNodeReads extends NodeReads {
  /** The children of many nodes, by path; none of a node that is not there or is hidden. */
  childrenOfAll(paths: readonly string[]): Promise<Map<string, readonly string[]>>;
}

/**
 * Reads of a registry that others write to, too: a node that its owner lets nobody read is none, so that one cannot hide all others.
 *
 * @param needed paths that everything is below: without them nothing is known, which is no empty registry
 */
export function visibleNodes(
  client: Pick<ZooKeeperClient, keyof ManyNodeReads>,
  needed: readonly string[],
  logger: Logger,
): ManyNodeReads {
  const told = new Set<string>();
  const leaveOut = (path: string) => {
    if (told.size >= 1_000 || told.has(path)) return;
    told.add(path);
    logger.warn({ path }, "ZooKeeper does not let the bridge read a node: it is left out");
  };
  const unlessHidden = async <Result>(path: string, reading: Promise<Result | undefined>) => {
    try {
      return await reading;
    } catch (error) {
      if (!isRefusal(error, "no-auth") || needed.includes(path)) throw error;
      leaveOut(path);
      return undefined;
    }
  };
  return {
    children: async (path) => await unlessHidden(path, client.children(path)),
    async childrenOfAll(paths) {
      const found = new Map<string, readonly string[]>();
      for (const [path, listed] of await client.childrenOfAll(paths)) {
        if (!(listed instanceof FairleadError)) found.set(path, listed ?? []);
        else if (isRefusal(listed, "no-auth")) leaveOut(path);
        else throw listed;
      }
      return found;
    },
    read: async (path) => await unlessHidden(path, client.read(path)),
  };
}
