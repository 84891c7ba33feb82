import { metrics } from "@opentelemetry/api";
import type { BridgeStatus } from "./bridge/registry-bridge.ts";

export type Operation =
  | "publish"
  | "unpublish"
  | "subscribe"
  | "unsubscribe"
  | "set_state"
  | "register_node"
  | "remove_node"
  | "apply_policies"
  | "remove_policy";

/** What registry-sync counts. Labels: the operations, and whether they changed something. */
export class RegistryMetrics {
  readonly #operations;
  readonly #expired;
  readonly #waitSeconds;
  readonly #previewSeconds;
  readonly #refusals;
  #pending = 0;
  #waiters = 0;
  #standingRefusals: () => number = () => 0;
  #bridges: () => readonly BridgeStatus[] = () => [];

  constructor() {
    const meter = metrics.getMeter("fairlead");
    this.#operations = meter.createCounter("fairlead_registry_operations", {
      description: "Operations that were stored, by operation and by result: changed or unchanged.",
    });
    this.#expired = meter.createCounter("fairlead_registry_leases_expired", {
      description: "Nodes removed because their lease ran out.",
    });
    this.#waitSeconds = meter.createHistogram("fairlead_registry_wait_seconds", {
      description: "How long requests with wait=converged waited, by result: converged or timeout.",
      unit: "s",
      advice: { explicitBucketBoundaries: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30] },
    });
    this.#refusals = meter.createCounter("fairlead_registry_nacks", {
      description: "Responses that proxies refused, by type: cds, eds, lds, rds.",
    });
    meter
      .createObservableGauge("fairlead_registry_nacks_standing", {
        description: "Refused responses whose resources the proxies have not taken in another form since.",
      })
      .addCallback((result) => result.observe(this.#standingRefusals()));
    this.#previewSeconds = meter.createHistogram("fairlead_registry_preview_seconds", {
      description: "How long dry runs took, with the wait for their turn.",
      unit: "s",
      advice: { explicitBucketBoundaries: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30] },
    });
    meter
      .createObservableGauge("fairlead_registry_outbox_pending", {
        description: "Revisions that are stored and not announced on the bus yet.",
      })
      .addCallback((result) => result.observe(this.#pending));
    meter
      .createObservableGauge("fairlead_bridge_connected", {
        description: "1 where this process owns a bridged registry and is connected to it; by registry.",
      })
      .addCallback((result) => {
        for (const { registry, owner, connected } of this.#bridges())
          result.observe(owner && connected ? 1 : 0, { registry });
      });
    meter
      .createObservableGauge("fairlead_bridge_providers", {
        description: "Providers of a bridged registry that are in the mesh, where this process owns it; by registry.",
      })
      .addCallback((result) => {
        for (const { registry, owner, providers } of this.#bridges())
          if (owner) result.observe(providers, { registry });
      });
    meter
      .createObservableGauge("fairlead_bridge_unusable_providers", {
        description:
          "Providers of a bridged registry whose names, versions or addresses the mesh does not allow; by registry.",
      })
      .addCallback((result) => {
        for (const { registry, owner, unusable } of this.#bridges()) if (owner) result.observe(unusable, { registry });
      });
    meter
      .createObservableGauge("fairlead_bridge_left_out", {
        description:
          "Providers, services and rules of a bridged registry that are left out, as they are beyond the limits of one registry; by registry.",
      })
      .addCallback((result) => {
        for (const { registry, owner, leftOut } of this.#bridges()) if (owner) result.observe(leftOut, { registry });
      });
    meter
      .createObservableGauge("fairlead_bridge_rules", {
        description: "Rules of a bridged registry that the mesh follows, where this process owns it; by registry.",
      })
      .addCallback((result) => {
        for (const { registry, owner, rules } of this.#bridges()) if (owner) result.observe(rules, { registry });
      });
    meter
      .createObservableGauge("fairlead_bridge_rule_problems", {
        description: "What rules of a bridged registry say that the mesh does not do; by registry.",
      })
      .addCallback((result) => {
        for (const { registry, owner, ruleProblems } of this.#bridges())
          if (owner) result.observe(ruleProblems.length, { registry });
      });
    meter
      .createObservableGauge("fairlead_registry_waiters", { description: "Requests that wait for convergence now." })
      .addCallback((result) => result.observe(this.#waiters));
  }

  stored(operation: Operation, changed: boolean): void {
    this.#operations.add(1, { operation, result: changed ? "changed" : "unchanged" });
  }

  leasesExpired(count: number): void {
    if (count > 0) this.#expired.add(count);
  }

  waited(converged: boolean, seconds: number): void {
    this.#waitSeconds.record(seconds, { result: converged ? "converged" : "timeout" });
  }

  previewed(seconds: number): void {
    this.#previewSeconds.record(seconds);
  }

  refused(type: string): void {
    this.#refusals.add(1, { type });
  }

  /** @param statuses asked when metrics are read */
  bridges(statuses: () => readonly BridgeStatus[]): void {
    this.#bridges = statuses;
  }

  /** @param count asked when metrics are read */
  standingRefusals(count: () => number): void {
    this.#standingRefusals = count;
  }

  waiters(count: number): void {
    this.#waiters = count;
  }

  outboxPending(count: number): void {
    this.#pending = count;
  }
}
