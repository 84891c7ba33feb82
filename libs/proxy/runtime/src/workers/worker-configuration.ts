import type { CommonCellsOfControl, SharedStats } from "@fairlead/stat-cells";
import type { XdsResource } from "../xds-resource.ts";
import type { AddressChecks } from "./address-checks.ts";
import type { HostReports } from "./host-reports.ts";
import type { ApplyAnswer, ApplyArgument } from "./messages.ts";
import { packResources } from "./packed-resources.ts";
import type { ResourcesInForce } from "./resources-in-force.ts";
import type { WorkerCrew } from "./worker-crew.ts";
import type { WorkerOrders } from "./worker-orders.ts";
import { type HandedFds, SocketsForWorkers } from "./worker-sockets.ts";

export interface WorkerConfigurationOptions {
  readonly crew: WorkerCrew;
  readonly orders: WorkerOrders;
  readonly inForce: ResourcesInForce;
  readonly reports: HostReports;
  readonly stats: SharedStats;
  readonly common: CommonCellsOfControl;
  readonly addresses: AddressChecks | SocketsForWorkers;
}

/** Gives workers resources with what belongs to them: cells, ports and sockets. One call after the other. */
export class WorkerConfiguration {
  readonly #options: WorkerConfigurationOptions;

  constructor(options: WorkerConfigurationOptions) {
    this.#options = options;
  }

  /** In all that are not late. @returns what those say that have answered in time */
  async apply(typeUrl: string, resources: readonly XdsResource[]): Promise<readonly ApplyAnswer[]> {
    const { crew, orders, reports, stats, common, addresses } = this.#options;
    reports.tell();
    const late = new Set(crew.late);
    return await orders.apply({
      typeUrl,
      resources: packResources(resources),
      blocks: stats.takeNew(),
      commonCells: common.takeNew(),
      ports: new Map(addresses.ports),
      sockets: this.#newSockets((thread) => !late.has(thread)),
    });
  }

  /** All that is in force in one that has nothing, or something older. */
  async bringUpToDate(thread: number): Promise<void> {
    const { crew, orders, inForce, reports, stats, common, addresses } = this.#options;
    reports.tell();
    let shared: Pick<ApplyArgument, "blocks" | "commonCells"> = { blocks: stats.all(), commonCells: common.all() };
    for (const [typeUrl, resources] of inForce.all()) {
      const worker = crew.linkOf(thread);
      if (worker === undefined) return;
      // When it is late once more, it is not sent it: it will be brought up to date once more.
      const isTold = !worker.late;
      if (isTold) inForce.told(thread, typeUrl);
      await orders.applyIn(worker, {
        typeUrl,
        resources: packResources(resources),
        ...shared,
        ports: new Map(addresses.ports),
        sockets: this.#newSockets((other) => isTold && other === thread),
      });
      shared = { blocks: [], commonCells: [] };
    }
  }

  #newSockets(isTold: (thread: number) => boolean): HandedFds {
    const { addresses } = this.#options;
    return addresses instanceof SocketsForWorkers ? addresses.takeNew(isTold) : new Map();
  }
}
