import { globMatches, type Provider } from "@fairlead/dubbo-registry";
import { mirroredInstance } from "./mirrored-instance.ts";

/** Which of a registry's providers the mesh takes, and how many it cannot take. */
export class ProviderSieve {
  readonly #registry: string;
  readonly #interfaces: readonly string[] | undefined;
  /** By source. */
  readonly #unusable = new Map<string, number>();

  /** @param interfaces what the registry may say something about, with `*` for anything; undefined: everything */
  constructor(registry: string, interfaces: readonly string[] | undefined) {
    this.#registry = registry;
    this.#interfaces = interfaces;
  }

  /** With a name, version or address that the mesh does not allow. */
  get unusable(): number {
    let count = 0;
    for (const ofSource of this.#unusable.values()) count += ofSource;
    return count;
  }

  /** Everything is read anew. */
  clear(): void {
    this.#unusable.clear();
  }

  /** @param effective what rules make of a provider @returns those of a source that the mesh can take */
  pass(source: string, providers: readonly Provider[], effective: (provider: Provider) => Provider): Provider[] {
    let unusable = 0;
    const usable: Provider[] = [];
    for (const registered of providers) {
      if (!this.#isMeant(registered.interface)) continue;
      const provider = effective(registered);
      if (mirroredInstance(provider, this.#registry) !== undefined) usable.push(provider);
      else if (provider.enabled && provider.weight > 0) unusable++;
    }
    if (unusable === 0) this.#unusable.delete(source);
    else this.#unusable.set(source, unusable);
    return usable;
  }

  #isMeant(name: string): boolean {
    return this.#interfaces === undefined || this.#interfaces.some((pattern) => globMatches(pattern, name));
  }
}
