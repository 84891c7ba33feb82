import { globMatches, type Provider } from "@fairlead/dubbo-registry";
import type { Logger } from "@fairlead/logging";
import { mirroredInstance } from "./mirrored-instance.ts";
import { SharedLimit } from "./shared-limit.ts";

export interface ProviderSieveOptions {
  readonly name: string;
  /** What the registry may say something about, with `*` for anything. @default everything */
  readonly interfaces?: readonly string[];
  /** More are left out. @default 200000 */
  readonly maxProviders?: number;
  readonly logger: Logger;
}

/** Which of a registry's providers the mesh takes, and how many it cannot take. */
export class ProviderSieve {
  readonly #options: ProviderSieveOptions;
  readonly #limit: SharedLimit;
  /** By source. */
  readonly #unusable = new Map<string, number>();

  constructor(options: ProviderSieveOptions) {
    this.#options = options;
    this.#limit = new SharedLimit(options.maxProviders ?? 200_000);
  }

  /** Providers beyond the limit; they are taken when the registry is read again and there is room. */
  get leftOut(): number {
    return this.#limit.leftOut;
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
    this.#limit.clear();
  }

  /** @returns those of a source that the registry may say something about, as far as there is room */
  admit(source: string, providers: readonly Provider[]): readonly Provider[] {
    const { interfaces, logger, name } = this.#options;
    const meant = interfaces === undefined ? providers : providers.filter((one) => isMeant(one.interface, interfaces));
    const before = this.leftOut;
    const granted = this.#limit.grant(source, meant.length);
    if (before === 0 && this.leftOut > 0)
      logger.warn(
        { registry: name, source },
        "a registry has more providers than the mesh takes of one: they are left out",
      );
    return granted === meant.length ? meant : meant.slice(0, granted);
  }

  /** @param effective what rules make of a provider @returns those of an admitted source that the mesh can take */
  pass(source: string, providers: readonly Provider[], effective: (provider: Provider) => Provider): Provider[] {
    let unusable = 0;
    const usable: Provider[] = [];
    for (const registered of providers) {
      const provider = effective(registered);
      if (mirroredInstance(provider, this.#options.name) !== undefined) usable.push(provider);
      else if (provider.enabled && provider.weight > 0) unusable++;
    }
    if (unusable === 0) this.#unusable.delete(source);
    else this.#unusable.set(source, unusable);
    return usable;
  }
}

export function isMeant(name: string, interfaces: readonly string[] | undefined): boolean {
  return interfaces === undefined || interfaces.some((pattern) => globMatches(pattern, name));
}
