import { parseConnectString } from "@fairlead/zookeeper";
import { z } from "zod";
import { type NacosSettings, nacosSettings } from "./nacos-settings.ts";

/** A registry outside the mesh, as the setting has it. */
export interface BridgedRegistry {
  /** In node ids, logs and metrics. */
  readonly name: string;
  /** ZooKeeper's connect string, or Nacos' servers. */
  readonly servers: string;
  /** Where its Dubbo applications register interfaces. */
  readonly root: string;
  /** Where they register themselves. */
  readonly servicesRoot: string;
  /** `user:password` of ZooKeeper's digest scheme; never logged. */
  readonly digest: string | undefined;
  /** Whether the mesh's services are written there. */
  readonly exports: boolean;
  /** What it may say something about, with `*` for anything; undefined: everything. */
  readonly interfaces?: readonly string[];
  /** Where it is a Nacos; then what is of ZooKeeper means nothing. */
  readonly nacos?: NacosSettings;
}

const shape = /^([a-z0-9][a-z0-9-]{0,31})=(zookeeper|nacos):\/\/(?:([^/@]+)@)?([^?\s]+?)(?:\?(\S*))?$/;
const known = new Set(["root", "services", "export", "interfaces"]);
const nodePath = /^\/?[^/\s]+(\/[^/\s]+)*\/?$/;
const interfacePattern = /^[A-Za-z0-9_.$*-]{1,253}$/;

/** @returns words for what is wrong; no secret is in them */
function zooKeeperProblem(servers: string, digest: string | undefined, roots: readonly string[]): string | undefined {
  try {
    parseConnectString(servers);
  } catch {
    return "expected zookeeper://host:port,host:port/path; in a password @ is %40, / is %2F and % is %25";
  }
  if (digest !== undefined && !/^[^:]+:./s.test(digest)) return "expected user:password before the hosts";
  if (!roots.every((root) => nodePath.test(root))) return "root and services are paths such as dubbo or shop/dubbo";
  const [root, servicesRoot] = roots.map((path) => path.replaceAll(/^\/|\/$/g, ""));
  return root === servicesRoot ? "root and services are two paths" : undefined;
}

function parse(text: string, context: z.RefinementCtx): BridgedRegistry | typeof z.NEVER {
  const fail = (message: string): typeof z.NEVER => {
    context.addIssue({ code: "custom", message });
    return z.NEVER;
  };
  const match = shape.exec(text);
  // The text may hold a password: only its name is shown.
  if (match === null) {
    const name = /^([a-z0-9-]{1,32})=/.exec(text)?.[1] ?? "a registry";
    return fail(
      `${name}: expected name=zookeeper://host:port,host:port?root=dubbo or name=nacos://host:port,host:port?group=DEFAULT_GROUP`,
    );
  }
  const [, name, scheme, digest, servers, query] = match;
  const parameters = new URLSearchParams(query ?? "");
  const repeated = [...parameters.keys()].find((key, index, keys) => keys.indexOf(key) !== index);
  if (repeated !== undefined) return fail(`${name}: ${repeated} is there twice`);
  const user = decoded(digest);
  if (digest !== undefined && user === undefined) return fail(`${name}: in a password % is written %25`);
  const interfaces = parameters.get("interfaces")?.split(",");
  if (interfaces?.every((pattern) => interfacePattern.test(pattern)) === false)
    return fail(`${name}: interfaces are names such as org.x.*, with commas between`);
  const nacos = scheme === "nacos" ? nacosSettings(servers!, user, parameters) : undefined;
  if (typeof nacos === "string") return fail(`${name}: ${nacos}`);
  const unknown = nacos !== undefined ? [] : [...parameters.keys()].filter((key) => !known.has(key));
  if (unknown.length > 0) return fail(`${name}: unknown ${unknown.join(", ")}; known are ${[...known].join(", ")}`);
  const exported = parameters.get("export") ?? "true";
  if (exported !== "true" && exported !== "false") return fail(`${name}: export is true or false`);
  const [root, servicesRoot] = [parameters.get("root") ?? "dubbo", parameters.get("services") ?? "services"];
  const problem = nacos === undefined ? zooKeeperProblem(servers!, user, [root, servicesRoot]) : undefined;
  if (problem !== undefined) return fail(`${name}: ${problem}`);
  return {
    name: name!,
    servers: servers!,
    root,
    servicesRoot,
    digest: user,
    exports: exported === "true",
    ...(interfaces === undefined ? {} : { interfaces }),
    ...(nacos === undefined ? {} : { nacos }),
  };
}

/** @returns undefined also for what is not so encoded */
function decoded(text: string | undefined): string | undefined {
  try {
    return text === undefined ? undefined : decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** `main=zookeeper://zk1:2181,zk2:2181?root=dubbo other=…`, with spaces between; empty for none. */
export const bridgedRegistries = z
  .string()
  .default("")
  .transform((text, context) => {
    const registries = text
      .split(/\s+/)
      .filter((part) => part !== "")
      .map((part) => parse(part, context));
    const names = registries.map(({ name }) => name);
    if (new Set(names).size !== names.length)
      context.addIssue({ code: "custom", message: "two registries have one name" });
    return registries;
  });
