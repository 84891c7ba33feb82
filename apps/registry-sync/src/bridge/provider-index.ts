import { type Provider, providerKey } from "@fairlead/dubbo-registry";
import type { Catalogue } from "@fairlead/model";
import { mirroredPrefix, providerOfInstance } from "./mirrored-instance.ts";

/** Who serves an interface: the registry's own providers as the mesh was told, and what else is in the mesh. */
export class ProviderIndex {
  readonly #registry: string;
  readonly #own = new Map<string, Map<string, Provider>>();
  #others = new Map<string, readonly Provider[]>();

  constructor(registry: string) {
    this.#registry = registry;
  }

  /** With providers of the registry's own. */
  get interfaces(): Iterable<string> {
    return this.#own.keys();
  }

  put(provider: Provider): void {
    const name = provider.interface;
    const ofInterface = this.#own.get(name) ?? new Map<string, Provider>();
    this.#own.set(name, ofInterface.set(providerKey(provider), provider));
  }

  remove(provider: Provider): void {
    const ofInterface = this.#own.get(provider.interface);
    ofInterface?.delete(providerKey(provider));
    if (ofInterface?.size === 0) this.#own.delete(provider.interface);
  }

  /** Of the registry's own. */
  countOf(name: string): number {
    return this.#own.get(name)?.size ?? 0;
  }

  /** Nobody where the registry has none: then it says nothing of the interface. */
  providersOf(name: string): readonly Provider[] {
    const own = this.#own.get(name);
    return own === undefined ? [] : [...own.values(), ...(this.#others.get(name) ?? [])];
  }

  /** What else is in the mesh, of interfaces that the registry has. @returns interfaces where that is not what it was */
  setOthers({ instances, nodes }: Pick<Catalogue, "instances" | "nodes">): readonly string[] {
    const prefix = mirroredPrefix(this.#registry);
    const found = new Map<string, Provider[]>();
    for (const instance of instances.values()) {
      if (instance.nodeId.startsWith(prefix) || instance.state !== "ready" || !this.#own.has(instance.interface))
        continue;
      const node = nodes.get(instance.nodeId);
      if (node === undefined) continue;
      const provider = {
        ...providerOfInstance(instance, this.#registry),
        address: node.address,
        application: node.app,
      };
      const ofInterface = found.get(instance.interface);
      if (ofInterface === undefined) found.set(instance.interface, [provider]);
      else ofInterface.push(provider);
    }
    const before = this.#others;
    this.#others = found;
    const names = new Set([...before.keys(), ...found.keys()]);
    return [...names].filter((name) => factsOf(before.get(name)) !== factsOf(found.get(name)));
  }
}

function factsOf(providers: readonly Provider[] | undefined): string {
  return JSON.stringify(providers?.map((provider) => ({ ...provider, parameters: [...provider.parameters] })));
}
