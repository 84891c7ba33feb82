import { decodeJavaUrl, encodeJavaUrl } from "./java-url-encoding.ts";

export type Category = "providers" | "consumers" | "configurators" | "routers";
const categories: ReadonlySet<string> = new Set(["providers", "consumers", "configurators", "routers"]);

/** Children of the root that are not interfaces. */
const notInterfaces: ReadonlySet<string> = new Set(["config", "mapping", "metadata"]);

/** What a path of the interface-level registry is about. */
export interface RegistryPlace {
  readonly interface: string;
  readonly category: Category;
  /** The URL of a child; undefined for the folder itself. */
  readonly url: string | undefined;
}

/**
 * Where things are in one registry:
 *
 *   /<root>/<interface>/providers/<encoded URL>          /services/<application>/<ip>:<port>
 *   /<root>/mapping/<interface>                          /<root>/metadata/<application>/<revision>
 *   /<root>/config/<group>/<key>
 */
export class RegistryPaths {
  /** With a slash before it and none behind. */
  readonly root: string;
  readonly servicesRoot: string;

  /** @param root the registry URL's `group` @param servicesRoot its `rootPath` */
  constructor(root = "dubbo", servicesRoot = "services") {
    this.root = normalised(root);
    this.servicesRoot = normalised(servicesRoot);
  }

  folder(name: string, category: Category): string {
    return `${this.root}/${encodeJavaUrl(name)}/${category}`;
  }

  node(name: string, category: Category, url: string): string {
    return `${this.folder(name, category)}/${encodeJavaUrl(url)}`;
  }

  mapping(name: string): string {
    return `${this.root}/mapping/${encodeJavaUrl(name)}`;
  }

  metadata(application: string, revision: string): string {
    return `${this.root}/metadata/${application}/${revision}`;
  }

  config(key: string, group = "dubbo"): string {
    return `${this.root}/config/${group}/${key}`;
  }

  /** Above all keys of the configuration centre. */
  get configRoot(): string {
    return `${this.root}/config/dubbo`;
  }

  /** The key of the configuration centre that a path is. @returns undefined for any other path */
  configKeyOf(path: string): string | undefined {
    if (!path.startsWith(`${this.configRoot}/`)) return undefined;
    const key = path.slice(this.configRoot.length + 1);
    return key.includes("/") ? undefined : key;
  }

  application(name: string): string {
    return `${this.servicesRoot}/${name}`;
  }

  instance(application: string, address: string): string {
    return `${this.application(application)}/${address}`;
  }

  /** The interface of a child of the root. @returns undefined for other things that Dubbo keeps there */
  interfaceOf(child: string): string | undefined {
    return notInterfaces.has(child) ? undefined : decodeJavaUrl(child);
  }

  /** @returns undefined for a path outside the interfaces */
  placeOf(path: string): RegistryPlace | undefined {
    if (!path.startsWith(`${this.root}/`)) return undefined;
    const [child, category, url, ...rest] = path.slice(this.root.length + 1).split("/");
    const name = child === undefined ? undefined : this.interfaceOf(child);
    if (name === undefined || category === undefined || !categories.has(category) || rest.length > 0) return undefined;
    return { interface: name, category: category as Category, url: url === undefined ? undefined : decodeJavaUrl(url) };
  }

  /** As `placeOf` of a child of a folder that it has told of: a folder has many. */
  placeIn({ interface: name, category }: RegistryPlace, child: string): RegistryPlace {
    return { interface: name, category, url: decodeJavaUrl(child) };
  }
}

function normalised(path: string): string {
  return `/${path.split("/").filter((part) => part !== "").join("/")}`; // prettier-ignore
}
