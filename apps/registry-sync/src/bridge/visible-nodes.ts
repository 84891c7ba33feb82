import type { Logger } from "@fairlead/logging";
import { isRefusal, type ZooKeeperClient } from "@fairlead/zookeeper";

export type NodeReads = Pick<ZooKeeperClient, "children" | "read">;

/**
 * Reads of a registry that others write to, too: a node that its owner lets nobody read is none, so that one cannot hide all others.
 *
 * @param needed paths that everything is below: without them nothing is known, which is no empty registry
 */
export function visibleNodes(client: NodeReads, needed: readonly string[], logger: Logger): NodeReads {
  const told = new Set<string>();
  const unlessHidden = async <Result>(path: string, reading: Promise<Result | undefined>) => {
    try {
      return await reading;
    } catch (error) {
      if (!isRefusal(error, "no-auth") || needed.includes(path)) throw error;
      if (told.size < 1_000 && !told.has(path)) {
        told.add(path);
        logger.warn({ path }, "ZooKeeper does not let the bridge read a node: it is left out");
      }
      return undefined;
    }
  };
  return {
    children: async (path) => await unlessHidden(path, client.children(path)),
    read: async (path) => await unlessHidden(path, client.read(path)),
  };
}
