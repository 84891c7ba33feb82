import type { HostSpec } from "./cluster-config.ts";
import type { Destination } from "./host-choice.ts";
import { hostKey } from "./host.ts";

/** How a cluster without hosts of its own sends each connection where it was going before it was sent here. */
export interface OriginalDestination {
  /** How long a host is kept that nobody asks for. @default 5000 */
  readonly cleanupMs: number;
  /** A header, in lower case, that says `address:port` in the place of the connection. Who may send it may reach any address. @default none */
  readonly header: string | undefined;
  /** In the place of the destination's own. */
  readonly portOverride: number | undefined;
}

/** Who can name destinations must not fill the memory with them. */
const MAX_HOSTS = 1000;

/** The destinations that connections had lately. */
export class OriginalDestinations {
  readonly #config: OriginalDestination;
  readonly #specs = new Map<string, HostSpec>();
  readonly #timer: NodeJS.Timeout;
  #used = new Set<string>();

  /**
   * @param isBusy whether requests to it are under way
   * @param onChange some have gone
   */
  constructor(config: OriginalDestination, isBusy: (key: string) => boolean, onChange: () => void) {
    this.#config = config;
    this.#timer = setInterval(() => {
      const before = this.#specs.size;
      for (const key of this.#specs.keys()) if (!this.#used.has(key) && !isBusy(key)) this.#specs.delete(key);
      this.#used = new Set();
      if (this.#specs.size !== before) onChange();
    }, config.cleanupMs);
    this.#timer.unref();
  }

  specs(): readonly HostSpec[] {
    return [...this.#specs.values()];
  }

  /** @returns its key, and whether it is a new one; undefined when there are too many */
  use({ address, port }: Destination): { readonly key: string; readonly isNew: boolean } | undefined {
    const spec: HostSpec = { address, port: this.#config.portOverride ?? port, weight: 1, health: "healthy" };
    const key = hostKey(spec.address, spec.port);
    const isNew = !this.#specs.has(key);
    if (isNew && this.#specs.size >= MAX_HOSTS) return undefined;
    this.#specs.set(key, spec);
    this.#used.add(key);
    return { key, isNew };
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
