import { setTimeout as pause } from "node:timers/promises";
import { machineMs } from "../clock.ts";
import { markers } from "../marker.ts";
import { type Quantiles, quantiles } from "../quantiles.ts";
import { Arrivals } from "./arrivals.ts";
import { Contents } from "./contents.ts";
import { Counters } from "./counters.ts";
import type { LoadSize } from "./protocol.ts";
import { ProxyConnection } from "./proxy-connection.ts";
import { type Behaviour, type LoadContext, SimulatedProxy } from "./simulated-proxy.ts";

/** Paced: thousands of connects at once overflow the listener's queue, and would measure the kernel. */
const connectsPerPace = 100;
const paceMs = 20;

/** Many proxies, in one process. */
export class Load {
  readonly arrivals = new Arrivals();
  readonly counters = new Counters();
  readonly #proxies: readonly SimulatedProxy[];
  readonly #connections: ProxyConnection[];
  readonly #completeAtMs: number[] = [];
  #onComplete: () => void = () => undefined;

  constructor(size: LoadSize) {
    const { variant, streams, silentShare, refusingShare } = size;
    const context: LoadContext = {
      variant,
      contents: new Contents(variant),
      arrivals: this.arrivals,
      counters: this.counters,
      onComplete: () => {
        this.#completeAtMs.push(machineMs());
        this.#onComplete();
      },
    };
    const silent = Math.round(streams * silentShare);
    const refusing = Math.round(streams * refusingShare);
    const behaviourOf = (index: number): Behaviour =>
      index < silent ? "silent" : index < silent + refusing ? "refusing" : "good";
    this.#proxies = Array.from(
      { length: streams },
      (_, index) => new SimulatedProxy(`load~${index}~bench`, behaviourOf(index), context),
    );
    this.#connections = this.#connect(size);
  }

  /** Silent ones have a connection of their own: the server has to cut it. */
  #connect({ port, variant, connections }: LoadSize): ProxyConnection[] {
    const { counters } = this;
    const shared = this.#proxies.filter(({ behaviour }) => behaviour !== "silent");
    const groups: SimulatedProxy[][] = Array.from(
      { length: Math.min(connections, shared.length) || shared.length },
      () => [],
    );
    for (const [index, proxy] of shared.entries()) groups[index % groups.length]!.push(proxy);
    groups.push(...this.#proxies.filter(({ behaviour }) => behaviour === "silent").map((proxy) => [proxy]));
    return groups.map((proxies) => new ProxyConnection({ port, variant, proxies, counters }));
  }

  /** Proxies that behave. */
  get good(): number {
    return this.#proxies.filter(({ behaviour }) => behaviour === "good").length;
  }

  /** Connects all. @returns from the first connect until each proxy that behaves had ACKed everything @throws Error after `deadlineMs` */
  async open(deadlineMs: number): Promise<Quantiles> {
    const started = machineMs();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = setTimeout(() => {
      reject(new Error(`${this.#completeAtMs.length} of ${this.good} proxies are complete after ${deadlineMs} ms`));
    }, deadlineMs);
    this.#onComplete = () => {
      if (this.#completeAtMs.length >= this.good) resolve();
    };
    this.#onComplete();
    try {
      for (const [index, connection] of this.#connections.entries()) {
        connection.open();
        if (index % connectsPerPace === connectsPerPace - 1) await pause(paceMs);
      }
      await promise;
    } finally {
      clearTimeout(timer);
    }
    return quantiles(this.#completeAtMs.map((at) => at - started));
  }

  /** The marks that proxies have, all that there are of each marker: one each when all have the same. */
  marks(): number[][] {
    const good = this.#proxies.filter(({ behaviour }) => behaviour === "good");
    return Array.from({ length: markers }, (_, marker) => [...new Set(good.map(({ marks }) => marks[marker] ?? 0))]);
  }

  close(): void {
    for (const connection of this.#connections) connection.close();
  }
}
