import { type Bus, buckets, type KeyValueWatch } from "@fairlead/bus";
import { connectNats } from "@fairlead/bus-nats";
import { createLogger } from "@fairlead/logging";
import { headKey } from "@fairlead/snapshot";
import { machineMs } from "./clock.ts";

/** Sees each commit of the compiler on the bus when the gateway does. */
export class CommitWatch implements AsyncDisposable {
  readonly #bus: Bus;
  readonly #watch: KeyValueWatch;
  #live = false;
  #commitsMs: number[] = [];

  private constructor(bus: Bus, watch: (commits: CommitWatch) => KeyValueWatch) {
    this.#bus = bus;
    this.#watch = watch(this);
  }

  static async start(natsUrl: string): Promise<CommitWatch> {
    const logger = createLogger({ service: "bench", level: "error" });
    const bus = await connectNats({ servers: natsUrl, name: "bench", logger });
    const bucket = await bus.keyValue(buckets.xds);
    const { promise, resolve } = Promise.withResolvers<void>();
    const commits = new CommitWatch(bus, (self) =>
      bucket.watch({
        entry: ({ key }) => {
          if (key === headKey && self.#live) self.#commitsMs.push(machineMs());
        },
        snapshotComplete: () => {
          self.#live = true;
          resolve();
        },
        restarted: () => undefined,
      }),
    );
    await promise;
    return commits;
  }

  /** When the commits since the last call were seen. */
  take(): number[] {
    const taken = this.#commitsMs;
    this.#commitsMs = [];
    return taken;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#watch.stop();
    await this.#bus.close();
  }
}
