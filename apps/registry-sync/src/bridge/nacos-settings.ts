import { readFile } from "node:fs/promises";
import { type Protocol, protocols } from "@fairlead/model";
import { type NacosCredentials, parseNacosAddresses } from "@fairlead/nacos";

/** What the setting of a Nacos registry says beside its servers. */
export interface NacosSettings {
  readonly namespace: string;
  readonly group: string;
  readonly credentials: NacosCredentials | undefined;
  /** What services that are not Dubbo's speak, where their metadata do not say; undefined: they are left alone. */
  readonly ordinary: Protocol | undefined;
}

const known = new Set(["namespace", "group", "username", "passwordFile", "services", "export", "interfaces"]);

/**
 * @param user `user:password` before the hosts, decoded
 * @returns words for what is wrong; no secret is in them
 */
export function nacosSettings(
  servers: string,
  user: string | undefined,
  parameters: URLSearchParams,
): NacosSettings | string {
  const unknown = [...parameters.keys()].filter((key) => !known.has(key));
  if (unknown.length > 0) return `unknown ${unknown.join(", ")}; known are ${[...known].join(", ")}`;
  try {
    parseNacosAddresses(servers);
  } catch {
    return "expected nacos://host:port,host:port";
  }
  const services = parameters.get("services") ?? "dubbo";
  const ordinary = protocols.find((protocol) => protocol === services && protocol !== "dubbo");
  if (services !== "dubbo" && ordinary === undefined) return `services is one of ${protocols.join(", ")}`;
  const colon = user?.indexOf(":") ?? -1;
  const username = parameters.get("username") ?? (colon === -1 ? user : user?.slice(0, colon));
  const file = parameters.get("passwordFile");
  const inline = colon === -1 ? undefined : user!.slice(colon + 1);
  if (username !== undefined && file === null && inline === undefined) return "a username needs a passwordFile";
  if (username === undefined && file !== null) return "a passwordFile needs a username";
  const password = async () => (file === null ? inline! : (await readFile(file, "utf8")).replace(/\r?\n$/, ""));
  return {
    namespace: parameters.get("namespace") ?? "public",
    group: parameters.get("group") ?? "DEFAULT_GROUP",
    credentials: username === undefined ? undefined : { username, password },
    ordinary,
  };
}
