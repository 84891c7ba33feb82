import type { ControlPlane } from "./control-plane.ts";
import { machineMs } from "./clock.ts";
import type { LoadClient } from "./load-client.ts";
import { markers } from "./marker.ts";
import type { Quantiles } from "./quantiles.ts";

export interface Change {
  readonly marker: number;
  readonly mark: number;
}

export interface PublishedChange extends Change {
  /** When /pub was asked. */
  readonly askedMs: number;
  /** When /pub had answered: the change is in PostgreSQL. */
  readonly storedMs: number;
}

const deadlineMs = 300_000;
/** All endpoints weigh 1 before the first change. */
const firstMark = 1;

/** Makes changes of one endpoint each, and follows them to the proxies. */
export class Changes {
  readonly #controlPlane: ControlPlane;
  readonly #marks = Array.from({ length: markers }, () => firstMark);
  /** The last publication of each marker: those of one marker go one after the other. */
  readonly #publications: Promise<unknown>[] = Array.from({ length: markers }, () => Promise.resolve());
  #loads: readonly LoadClient[] = [];

  constructor(controlPlane: ControlPlane) {
    this.#controlPlane = controlPlane;
  }

  /** From now on these are told of each change before it is made. */
  follow(...loads: readonly LoadClient[]): void {
    this.#loads = loads;
  }

  /** The newest mark of each marker. */
  get marks(): readonly number[] {
    return this.#marks;
  }

  async make(marker: number): Promise<PublishedChange> {
    const mark = (this.#marks[marker] ?? 0) + 1;
    this.#marks[marker] = mark;
    await Promise.all(this.#loads.map((load) => load.ask("expect", { marker, mark, atMs: machineMs() })));
    const last = this.#publications[marker] ?? Promise.resolve();
    const publication = last.then(async () => await this.#controlPlane.publish(marker, mark));
    this.#publications[marker] = publication;
    return { marker, mark, ...(await publication) };
  }

  /** @returns how long after the change the proxies of a load had ACKed it @throws Error when they have not within five minutes */
  async everywhere(load: LoadClient, { marker, mark }: Change): Promise<Quantiles> {
    return await load.ask("everywhere", { marker, mark, deadlineMs });
  }
}
