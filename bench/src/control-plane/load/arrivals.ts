import { machineMs } from "../clock.ts";
import { maxMark } from "../marker.ts";
import { type Quantiles, quantiles } from "../quantiles.ts";

/** One change, and how long after it the proxies had it. */
interface ExpectedChange {
  readonly atMs: number;
  readonly latenciesMs: number[];
}

/** When each change reached the proxies that behave. */
export class Arrivals {
  readonly #changes = new Map<number, ExpectedChange>();
  readonly #waiting = new Set<() => void>();

  /** A change is about to be made, at `atMs` of the machine's clock. */
  expect(marker: number, mark: number, atMs: number): void {
    this.#changes.set(marker * maxMark + mark, { atMs, latenciesMs: [] });
  }

  /** A proxy that had `before` of a marker has `mark` now, and with it all changes between them. */
  arrived(marker: number, before: number, mark: number): void {
    const now = machineMs();
    for (let each = before + 1; each <= mark; each += 1) {
      const change = this.#changes.get(marker * maxMark + each);
      change?.latenciesMs.push(now - change.atMs);
    }
    for (const look of this.#waiting) look();
  }

  /** Resolves once `proxies` have the change. @returns how long after it they had it @throws Error after `deadlineMs` */
  async everywhere(marker: number, mark: number, proxies: number, deadlineMs: number): Promise<Quantiles> {
    const change = this.#changes.get(marker * maxMark + mark);
    if (change === undefined) throw new Error(`change ${mark} of marker ${marker} was not announced`);
    const { latenciesMs } = change;
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(look);
        reject(new Error(`${latenciesMs.length} of ${proxies} proxies have the change after ${deadlineMs} ms`));
      }, deadlineMs);
      const look = () => {
        if (latenciesMs.length < proxies) return;
        clearTimeout(timer);
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      look();
    });
    return quantiles(latenciesMs);
  }

  /** Over all changes that all proxies have, since the last call: of each change at each proxy, and at its last proxy. */
  summary(proxies: number): { readonly each: Quantiles; readonly last: Quantiles } {
    const all: number[] = [];
    const last: number[] = [];
    for (const [key, { latenciesMs }] of this.#changes) {
      if (latenciesMs.length < proxies) continue;
      for (const latency of latenciesMs) all.push(latency);
      last.push(latenciesMs.reduce((a, b) => Math.max(a, b), 0));
      this.#changes.delete(key);
    }
    return { each: quantiles(all), last: quantiles(last) };
  }
}
