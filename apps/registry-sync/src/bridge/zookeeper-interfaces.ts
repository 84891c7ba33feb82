import {
  originParameter,
  parseProvider,
  type Provider,
  type RegistryPaths,
  type RegistryPlace,
  type RuleDocument,
} from "@fairlead/dubbo-registry";
import type { RegistryReading } from "./foreign-registry.ts";
import type { ManyNodeReads, NodeReads } from "./visible-nodes.ts";

/** All of a provider is in the name of its node. What a mesh has written is none. */
export function providersAt(place: RegistryPlace | undefined): readonly Provider[] {
  if (place?.category !== "providers" || place.url === undefined) return [];
  const provider = parseProvider(place.url, place.interface);
  return provider === undefined || provider.parameters.has(originParameter) ? [] : [provider];
}

/** A rule of the form of a URL, which is in the name of its node. */
export function urlRuleAt(place: RegistryPlace | undefined): RuleDocument | undefined {
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

/** All interfaces with their providers and rules, and the configuration centre. */
export async function readInterfaces(client: ManyNodeReads, paths: RegistryPaths): Promise<RegistryReading> {
  const providers = new Map<string, readonly Provider[]>();
  const rules = new Map<string, RuleDocument>();
  const readFolders = async (children: readonly string[]) => {
    const categories = ["providers", "configurators", "routers"];
    const names = children.filter((child) => paths.interfaceOf(child) !== undefined);
    const folders = names.flatMap((child) => categories.map((category) => `${paths.root}/${child}/${category}`));
    for (const [folder, nodes] of await client.childrenOfAll(folders)) {
      const folderPlace = nodes.length === 0 ? undefined : paths.placeOf(folder);
      if (folderPlace === undefined) continue;
      for (const node of nodes) {
        const path = `${folder}/${node}`;
        const place = paths.placeIn(folderPlace, node);
        const found = providersAt(place);
        const rule = found.length > 0 ? undefined : urlRuleAt(place);
        if (found.length > 0) providers.set(path, found);
        else if (rule !== undefined) rules.set(path, rule);
      }
    }
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
  await Promise.all([readFolders(children), readItems()]);
  return { providers, rules };
}
