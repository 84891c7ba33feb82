export interface PushQueueOptions<Client, Request> {
  /** Pushes under way at the same time. */
  readonly concurrency: number;
  /** Two requests of one client become one. */
  readonly merge: (waiting: Request, next: Request) => Request;
  /** Settles when the next push may take the place of this one. `queuedMs`: since the oldest of the merged requests. */
  readonly push: (client: Client, request: Request, queuedMs: number) => Promise<void>;
  /** Monotonic, ms. @default performance.now */
  readonly now?: () => number;
}

/** Since when a client waits, and for what. */
interface Waiting<Request> {
  readonly sinceMs: number;
  readonly request: Request;
}

/**
 * Who is to be pushed to, in the order of asking. Invariant: a client is at most once under way and once waiting, however
 * often it is asked for; it keeps its place and its first time, and its requests merge. A push sends what is newest when its
 * turn comes, so that a merged one loses nothing.
 */
export class PushQueue<Client, Request> {
  readonly #options: PushQueueOptions<Client, Request>;
  readonly #now: () => number;
  readonly #waiting = new Map<Client, Waiting<Request>>();
  readonly #running = new Set<Client>();

  constructor(options: PushQueueOptions<Client, Request>) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  get running(): number {
    return this.#running.size;
  }

  enqueue(client: Client, request: Request): void {
    const known = this.#waiting.get(client);
    if (known === undefined) this.#waiting.set(client, { sinceMs: this.#now(), request });
    else this.#waiting.set(client, { sinceMs: known.sinceMs, request: this.#options.merge(known.request, request) });
    this.#next();
  }

  /** The client is gone. */
  forget(client: Client): void {
    this.#waiting.delete(client);
  }

  #next(): void {
    for (const [client, { sinceMs, request }] of this.#waiting) {
      if (this.#running.size >= this.#options.concurrency) return;
      // Skips at most `concurrency` clients.
      if (this.#running.has(client)) continue;
      this.#waiting.delete(client);
      this.#running.add(client);
      const done = () => {
        this.#running.delete(client);
        this.#next();
      };
      this.#options.push(client, request, this.#now() - sinceMs).then(done, done);
    }
  }
}
