import { isRefusal, type ZooKeeperClient } from "@fairlead/zookeeper";

const maxAttempts = 10;

/**
 * Adds an application to those that serve an interface, as Dubbo's providers do: a list in one node that all share, so by compare and set.
 * Names are never taken out of it: another process of that application may have meant it, too, and one without instances means nothing.
 *
 * @param path of the interface's mapping
 * @throws FairleadError FL_ZOOKEEPER_REFUSED, FL_ZOOKEEPER_UNAVAILABLE
 */
export async function mapInterface(client: ZooKeeperClient, path: string, application: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      const read = await client.read(path);
      if (read === undefined) {
        await client.ensure(path.slice(0, path.lastIndexOf("/")));
        await client.create(path, Buffer.from(application), { ephemeral: false });
        return;
      }
      const names = read.data.toString("utf8").split(",").filter((name) => name !== ""); // prettier-ignore
      if (names.includes(application)) return;
      await client.write(path, Buffer.from([...names, application].join(",")), read.stat.version);
      return;
    } catch (error) {
      const outrun = isRefusal(error, "bad-version") || isRefusal(error, "node-exists");
      if (!outrun || attempt === maxAttempts) throw error;
    }
  }
}
