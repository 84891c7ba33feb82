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
  /** Where it is a Nacos; then what is of ZooKeeper means nothing. */
  readonly nacos?: NacosSettings;
}

const shape = /^([a-z0-9][a-z0-9-]{0,31})=(zookeeper|nacos):\/\/(?:([^/@]+)@)?([^?\s]+?)(?:\?(\S*))?$/;
const known = new Set(["root", "services", "export"]);

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
  const nacos = scheme === "nacos" ? nacosSettings(servers!, decoded(digest), parameters) : undefined;
  if (typeof nacos === "string") return fail(`${name}: ${nacos}`);
  const unknown = nacos !== undefined ? [] : [...parameters.keys()].filter((key) => !known.has(key));
  if (unknown.length > 0) return fail(`${name}: unknown ${unknown.join(", ")}; known are ${[...known].join(", ")}`);
  const exported = parameters.get("export") ?? "true";
  if (exported !== "true" && exported !== "false") return fail(`${name}: export is true or false`);
  return {
    name: name!,
    servers: servers!,
    root: parameters.get("root") ?? "dubbo",
    servicesRoot: parameters.get("services") ?? "services",
    digest: decoded(digest),
    exports: exported === "true",
    ...(nacos === undefined ? {} : { nacos }),
  };
}

function decoded(text: string | undefined): string | undefined {
  return text === undefined ? undefined : decodeURIComponent(text);
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
