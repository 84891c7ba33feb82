import type { ListenerStatus } from "../listener/listener-status.ts";
import { type ListenersReport, ReportedListeners } from "./reported-listeners.ts";
import { mergeListeners } from "./worker-answers.ts";
import type { WorkerCrew } from "./worker-crew.ts";

/** The listeners of a group of workers: one is active when it is in all of them. */
export class GroupListeners {
  /** Of the control thread, which has each listener that is not draining. */
  readonly #own: () => readonly ListenerStatus[];
  readonly #crew: Pick<WorkerCrew, "serving" | "isBehind">;
  readonly #reported = new ReportedListeners();
  readonly #watchers = new Set<() => void>();

  constructor(own: () => readonly ListenerStatus[], crew: Pick<WorkerCrew, "serving" | "isBehind">) {
    this.#own = own;
    this.#crew = crew;
  }

  /** A worker that is started again, or stuck, is not waited for: the others serve. */
  statuses(): readonly ListenerStatus[] {
    const serving = this.#crew.serving
      .filter((thread) => !this.#crew.isBehind(thread))
      .map((thread) => this.#reported.of(thread));
    return mergeListeners(this.#own(), serving.length === 0 ? [[]] : serving);
  }

  isActive(name: string): boolean {
    return this.statuses().some((status) => status.name === name && status.state === "active");
  }

  take(reports: readonly { readonly thread: number; readonly report: ListenersReport }[]): void {
    for (const { thread, report } of reports) this.#reported.take(thread, report);
    this.tell();
  }

  /** The worker has ended. */
  forget(thread: number): void {
    this.#reported.forget(thread);
  }

  /** @returns ends it */
  onChanged(watcher: () => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  tell(): void {
    for (const watcher of this.#watchers) watcher();
  }
}
