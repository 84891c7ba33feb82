import { exportedApplications, type ExportedProvider, nacosMetadata, nacosServiceName } from "@fairlead/dubbo-registry";
import { FairleadError } from "@fairlead/errors";
import type { Logger } from "@fairlead/logging";
import type { ConfigItems, RegisteredInstance, Registrations } from "@fairlead/nacos";

export interface NacosExportOptions {
  readonly items: Pick<ConfigItems, "read" | "write" | "addWord">;
  readonly registrations: Pick<Registrations, "set">;
  readonly logger: Logger;
}

interface WantedItem {
  readonly id: string;
  readonly write: () => Promise<void>;
}

const retryMs = 1_000;

/**
 * Keeps the mesh's providers in a Nacos: for consumers that know interfaces at once, for those that know applications when what these serve
 * can be read there. Instances end with the connection. Metadata and the lists of who serves an interface are items, which stay, as Dubbo's
 * own do: without an instance that refers to them they mean nothing.
 */
export class NacosExport {
  readonly #options: NacosExportOptions;
  #providers: readonly ExportedProvider[] = [];
  /** Items that were written over this connection. */
  readonly #written = new Set<string>();
  #running = false;
  #again = false;
  #retry: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(options: NacosExportOptions) {
    this.#options = options;
  }

  set(providers: readonly ExportedProvider[]): void {
    this.#providers = providers;
    this.#run();
  }

  /** Another server may have lost its data. */
  onConnected(): void {
    this.#written.clear();
    this.#run();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#retry);
  }

  #run(): void {
    if (this.#stopped) return;
    if (this.#running) {
      this.#again = true;
      return;
    }
    clearTimeout(this.#retry);
    this.#running = true;
    this.#once()
      .catch((caught: unknown) => {
        this.#options.logger.warn(
          { err: FairleadError.from(caught) },
          "services could not be exported; it is tried again",
        );
        if (!this.#stopped) this.#retry = setTimeout(() => this.#run(), retryMs);
      })
      .finally(() => {
        this.#running = false;
        if (!this.#again) return;
        this.#again = false;
        this.#run();
      });
  }

  async #once(): Promise<void> {
    const providers = this.#providers;
    const wanted = new Map<string, RegisteredInstance[]>();
    const add = (name: string, instance: RegisteredInstance) =>
      wanted.set(name, [...(wanted.get(name) ?? []), instance]);
    for (const provider of providers) {
      const { address: ip, port } = provider;
      add(nacosServiceName(provider), { ip, port, weight: 1, metadata: nacosMetadata(provider) });
    }
    const missing = this.#itemsOf(providers).filter(({ id }) => !this.#written.has(id));
    // What was there already stays; new applications wait for their items.
    if (missing.length > 0 && this.#written.size === 0) this.#options.registrations.set(new Map(wanted));
    for (const { id, write } of missing) {
      await write();
      this.#written.add(id);
    }
    for (const { application, address: ip, port, instanceMetadata } of exportedApplications(providers))
      add(application, { ip, port, weight: 1, metadata: instanceMetadata });
    this.#options.registrations.set(wanted);
  }

  #itemsOf(providers: readonly ExportedProvider[]): readonly WantedItem[] {
    const { items } = this.#options;
    return exportedApplications(providers).flatMap(({ application, revision, metadata, interfaces }) => [
      {
        id: `${application} ${revision}`,
        write: async () => {
          const key = { dataId: application, group: revision };
          // Its name says its content.
          if ((await items.read(key)) === undefined) await items.write(key, metadata);
        },
      },
      ...interfaces.map((name) => ({
        id: `${name} of ${application}`,
        write: async () => await items.addWord({ dataId: name, group: "mapping" }, application),
      })),
    ]);
  }
}
