import type { ListenerStatus } from "../listener/listener-status.ts";

/** What a worker's listeners do. Answers and events come through different ports, so that an older report may come after a newer one. */
export interface ListenersReport {
  /** Of one worker: the greater, the newer. */
  readonly number: number;
  readonly listeners: readonly ListenerStatus[];
}

/** The newest report of each worker. */
export class ReportedListeners {
  readonly #reports = new Map<number, ListenersReport>();

  take(thread: number, report: ListenersReport): void {
    const known = this.#reports.get(thread);
    if (known === undefined || known.number < report.number) this.#reports.set(thread, report);
  }

  of(thread: number): readonly ListenerStatus[] {
    return this.#reports.get(thread)?.listeners ?? [];
  }

  /** It has ended: who takes its place counts from the first number again. */
  forget(thread: number): void {
    this.#reports.delete(thread);
  }
}
