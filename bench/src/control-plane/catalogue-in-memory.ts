import { type Catalogue, CatalogueReplica, type Change, instanceKey, serviceKey } from "@fairlead/model";
import type { AdvisoryLock, CatalogueReader, ChangePage } from "@fairlead/store";
import { hosts, instanceOf, type MeshSize, serviceOf } from "./catalogue.ts";

/** A catalogue without PostgreSQL, whose reads cost the same whatever its size. */
export class CatalogueInMemory implements CatalogueReader {
  readonly #catalogue = new CatalogueReplica();
  readonly #log: Change[] = [];

  constructor(size: MeshSize) {
    const { nodes, services, instances } = this.#catalogue;
    for (const host of hosts(size)) nodes.set(host.id, host);
    for (let index = 0; index < size.services; index += 1) {
      const service = serviceOf(index);
      services.set(serviceKey(service), service);
      for (let replica = 0; replica < size.endpoints; replica += 1) {
        const instance = instanceOf(index, replica);
        instances.set(instanceKey(instance), instance);
      }
    }
    this.#catalogue.revision = 1;
  }

  /** Changes the weight of one endpoint. @returns the revision */
  publish(service: number, weight: number): number {
    const value = instanceOf(service, 0, weight);
    const revision = this.#catalogue.revision + 1;
    const change: Change = { kind: "instance", key: instanceKey(value), value, revision };
    this.#log.push(change);
    this.#catalogue.apply(change);
    return revision;
  }

  async revision(): Promise<number> {
    return this.#catalogue.revision;
  }

  async snapshot(): Promise<Catalogue> {
    return this.#catalogue;
  }

  async changesSince(since: number): Promise<ChangePage> {
    const changes = this.#log.filter(({ revision }) => revision > since);
    return { gap: false, changes, revision: this.#catalogue.revision };
  }

  async tryLock(): Promise<AdvisoryLock | undefined> {
    return { lost: new AbortController().signal, release: () => Promise.resolve() };
  }
}
