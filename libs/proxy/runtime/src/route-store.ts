import { RouteConfigurationSchema } from "@fairlead/envoy-api/envoy/config/route/v3/route_pb.js";
import type { RouteTable } from "@fairlead/proxy-router";
import type { CommonCells } from "@fairlead/stat-cells";
import { type Accepted, decodeResources } from "./decode-resources.ts";
import type { NewerFields } from "./translate/newer-fields.ts";
import { readRouteConfiguration } from "./translate/route-configuration.ts";
import type { XdsRejection, XdsResource } from "./xds-resource.ts";

/** RDS as it was accepted: the tables that listeners name. */
export class RouteStore {
  readonly #newer: NewerFields;
  readonly #common: CommonCells | undefined;
  readonly #tables = new Map<string, Accepted<RouteTable>>();

  /** @param common what limits count in over all threads */
  constructor(newer: NewerFields, common?: CommonCells) {
    this.#newer = newer;
    this.#common = common;
  }

  get(name: string): RouteTable | undefined {
    return this.#tables.get(name)?.value;
  }

  all(): readonly Accepted<RouteTable>[] {
    return [...this.#tables.values()];
  }

  apply(resources: readonly XdsResource[]): readonly XdsRejection[] {
    const { accepted, rejections } = decodeResources(
      RouteConfigurationSchema,
      resources,
      (name) => this.#tables.get(name),
      (message) => ({ name: message.name, value: readRouteConfiguration(message) }),
      this.#newer,
      this.#common,
    );
    for (const table of accepted) this.#tables.set(table.name, table);
    return rejections;
  }

  /** @param wanted the names that a listener still refers to */
  keepOnly(wanted: readonly string[]): void {
    for (const name of this.#tables.keys()) if (!wanted.includes(name)) this.#tables.delete(name);
  }
}
