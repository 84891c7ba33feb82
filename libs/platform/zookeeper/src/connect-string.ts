import { FairleadError } from "@fairlead/errors";
import type { ZooKeeperErrorCode } from "./zookeeper-error.ts";

export interface ServerAddress {
  readonly host: string;
  readonly port: number;
}

export interface ConnectString {
  readonly servers: readonly ServerAddress[];
  /** Where the tree begins for this client; "" = at the root. */
  readonly chroot: string;
}

const defaultPort = 2181;

/**
 * `zk1:2181,zk2:2181/path`, as ZooKeeper's own clients take it; IPv6 in brackets.
 *
 * @throws FairleadError FL_ZOOKEEPER_ADDRESS_INVALID
 */
export function parseConnectString(text: string): ConnectString {
  const slash = text.indexOf("/");
  const hosts = (slash === -1 ? text : text.slice(0, slash)).split(",").map((part) => part.trim());
  const chroot = slash === -1 ? "" : text.slice(slash).replace(/\/+$/, "");
  const servers = hosts.map((part) => {
    const match = /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::(\d{1,5}))?$/.exec(part);
    const port = Number(match?.[2] ?? defaultPort);
    if (match === null || port < 1 || port > 65_535 || chroot.includes("//")) throw invalid(text);
    return { host: match[1]!.replace(/^\[|\]$/g, ""), port };
  });
  return { servers, chroot };
}

function invalid(text: string): FairleadError {
  const code: ZooKeeperErrorCode = "FL_ZOOKEEPER_ADDRESS_INVALID";
  return new FairleadError(code, `${text.slice(0, 200)} is not host:port,host:port/path`);
}
