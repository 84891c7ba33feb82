import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

/** Of Debian's package `zookeeper`, which has no program. */
export const zooKeeperJar = "/usr/share/java/zookeeper.jar";

/** Of the ZooKeeper of `up` among the registries that are bridged. */
export const bridgeName = "fairlead-up";

/** Whether a ZooKeeper can be started here. */
export function isZooKeeperInstalled(path: string | undefined = process.env["PATH"], jar = zooKeeperJar): boolean {
  const folders = (path ?? "").split(delimiter).filter((folder) => folder !== "");
  return existsSync(jar) && folders.some((folder) => existsSync(join(folder, "java")));
}
