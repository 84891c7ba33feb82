import type { SlotControl } from "@fairlead/slot";
import { DnsHosts, type DnsHostsOptions, type ResolveName, type WatchedNames } from "../cluster/dns-hosts.ts";
import { type ResolvedHosts, resolvedHostsSlot } from "./messages.ts";

/** The control thread's side: asks the resolver for all threads, and tells the workers what it says. */
export class HostResolution {
  readonly #control: SlotControl;
  readonly #resolve: ResolveName;
  readonly #onFailure: (error: unknown) => void;
  readonly #found = new Map<string, ResolvedHosts>();

  constructor(control: SlotControl, resolve: ResolveName, onFailure: (error: unknown) => void) {
    this.#control = control;
    this.#resolve = resolve;
    this.#onFailure = onFailure;
  }

  readonly watch = (cluster: string, options: Omit<DnsHostsOptions, "resolve">): WatchedNames => {
    let closed = false;
    const hosts = new DnsHosts({
      ...options,
      resolve: this.#resolve,
      onHosts: (found) => {
        options.onHosts(found);
        if (closed) return;
        this.#found.set(cluster, { hosts: found });
        this.#tell();
      },
    });
    return {
      close: () => {
        closed = true;
        hosts.close();
        if (this.#found.delete(cluster)) this.#tell();
      },
    };
  };

  #tell(): void {
    this.#control.set(resolvedHostsSlot, new Map(this.#found)).catch(this.#onFailure);
  }
}

/** A worker's side: hosts come when the control thread has found them. */
export class HostsOfControl {
  readonly #watched = new Map<string, DnsHostsOptions["onHosts"]>();
  #found: ReadonlyMap<string, ResolvedHosts> = new Map();

  take(found: ReadonlyMap<string, ResolvedHosts>): void {
    this.#found = found;
    for (const [cluster, onHosts] of this.#watched) {
      const known = found.get(cluster);
      if (known !== undefined) onHosts(known.hosts);
    }
  }

  readonly watch = (cluster: string, options: Omit<DnsHostsOptions, "resolve">): WatchedNames => {
    const onHosts = options.onHosts;
    this.#watched.set(cluster, onHosts);
    // Not at once: who watches waits for it to return.
    setImmediate(() => {
      const known = this.#found.get(cluster);
      if (known !== undefined && this.#watched.get(cluster) === onHosts) onHosts(known.hosts);
    });
    return {
      close: () => {
        if (this.#watched.get(cluster) === onHosts) this.#watched.delete(cluster);
      },
    };
  };
}
