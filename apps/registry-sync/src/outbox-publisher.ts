import { create, toBinary } from "@bufbuild/protobuf";
import { type Bus, subjects } from "@fairlead/bus";
import { RegistryChangedSchema } from "@fairlead/fairlead-api";
import type { Logger } from "@fairlead/logging";
import type { Outbox, PendingAnnouncement } from "@fairlead/store";
import type { RegistryMetrics } from "./registry-metrics.ts";
import { RepeatedTask } from "./repeated-task.ts";

const batch = 100;
/** For what another replica wrote and could not publish. What this one writes is published at once. */
const pollIntervalMs = 1000;
/** Objects beyond this are left out of a message: it is a hint, and the change log has them all. */
const maxObjects = 1000;

export interface OutboxPublisherOptions {
  readonly bus: Bus;
  readonly outbox: Outbox;
  /** What is waited for before the outbox can be read; undefined = nothing. */
  readonly monitor: { readonly trouble: string | undefined };
  readonly metrics: Pick<RegistryMetrics, "outboxPending">;
  readonly logger: Logger;
}

/** Announces each revision on the bus, in order, at least once: what could not be announced stays in the outbox. */
export class OutboxPublisher {
  readonly #options: OutboxPublisherOptions;
  readonly #task: RepeatedTask;
  readonly #ends: (() => void)[] = [];

  constructor(options: OutboxPublisherOptions) {
    this.#options = options;
    this.#task = new RepeatedTask({
      what: "announcing changes on the bus",
      intervalMs: pollIntervalMs,
      run: () => this.#publishAll(),
      logger: options.logger,
    });
  }

  start(): void {
    const { bus, outbox } = this.#options;
    this.#ends.push(
      outbox.onPending(() => this.#task.trigger()),
      bus.onState((state) => {
        if (state === "connected") this.#task.trigger();
      }),
    );
    this.#task.start();
  }

  async stop(): Promise<void> {
    for (const end of this.#ends.splice(0)) end();
    await this.#task.stop();
  }

  async #publishAll(): Promise<void> {
    const { bus, outbox, metrics, monitor } = this.#options;
    if (monitor.trouble !== undefined) return;
    try {
      if (bus.state !== "connected") return;
      while ((await outbox.takePending(batch, (announcements) => this.#publish(announcements))) === batch);
    } finally {
      metrics.outboxPending(await outbox.countPending());
    }
  }

  async #publish(announcements: readonly PendingAnnouncement[]): Promise<void> {
    for (const { revision, objects, traceparent } of announcements) {
      const message = create(RegistryChangedSchema, {
        revision: BigInt(revision),
        objects: objects.slice(0, maxObjects),
        traceparent: traceparent ?? "",
      });
      const data = toBinary(RegistryChangedSchema, message);
      await this.#options.bus.publish({ subject: subjects.registryChanged, data, revision, traceparent });
    }
  }
}
