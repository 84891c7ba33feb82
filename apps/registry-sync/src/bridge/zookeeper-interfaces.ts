import {
  originParameter,
  parseProvider,
  type Provider,
  type RegistryPaths,
  type RuleDocument,
} from "@fairlead/dubbo-registry";
import type { RegistryReading } from "./foreign-registry.ts";
import type { NodeReads } from "./visible-nodes.ts";

/** All of a provider is in the name of its node. What a mesh has written is none. */
export function providersAt(paths: RegistryPaths, path: string): readonly Provider[] {
  const place = paths.placeOf(path);
  if (place?.category !== "providers" || place.url === undefined) return [];
  const provider = parseProvider(place.url, place.interface);
  return provider === undefined || provider.parameters.has(originParameter) ? [] : [provider];
}

/** A rule of the form of a URL, which is in the name of its node. */
export function urlRuleAt(paths: RegistryPaths, path: string): RuleDocument | undefined {
  const place = paths.placeOf(path);
  if (place?.url === undefined || (place.category !== "configurators" && place.category !== "routers"))
    return undefined;
  return { form: "url", interface: place.interface, url: place.url };
}

/** An item of the configuration centre. @returns undefined where there is none */
export async function readItem(client: NodeReads, path: string, key: string): Promise<RuleDocument | undefined> {
  const read = await client.read(path);
  const text = read?.data.toString("utf8") ?? "";
  return text.trim() === "" ? undefined : { form: "item", key, text };
}

/** All interfaces with their providers and rules, and the configuration centre; pipelined. */
export async function readInterfaces(client: NodeReads, paths: RegistryPaths): Promise<RegistryReading> {
  const providers = new Map<string, readonly Provider[]>();
  const rules = new Map<string, RuleDocument>();
  const listed = async (folder: string, each: (path: string) => void) => {
    for (const node of (await client.children(folder)) ?? []) each(`${folder}/${node}`);
  };
  const readInterface = async (child: string) => {
    if (paths.interfaceOf(child) === undefined) return;
    const folder = `${paths.root}/${child}`;
    const addRule = (path: string) => {
      const rule = urlRuleAt(paths, path);
      if (rule !== undefined) rules.set(path, rule);
    };
    await Promise.all([
      listed(`${folder}/providers`, (path) => {
        const found = providersAt(paths, path);
        if (found.length > 0) providers.set(path, found);
      }),
      listed(`${folder}/configurators`, addRule),
      listed(`${folder}/routers`, addRule),
    ]);
  };
  const readItems = async () => {
    const keys = (await client.children(paths.configRoot)) ?? [];
    await Promise.all(
      keys.map(async (key) => {
        const path = `${paths.configRoot}/${key}`;
        const item = await readItem(client, path, key);
        if (item !== undefined) rules.set(path, item);
      }),
    );
  };
  const children = (await client.children(paths.root)) ?? [];
  await Promise.all([...children.map(readInterface), readItems()]);
  return { providers, rules };
}
