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

/** Places of the order that are over, before they are let go. */
const maxWalked = 4096;

/** Since when a client waits, and for what. */
interface Waiting<Client, Request> {
  readonly client: Client;
  readonly sinceMs: number;
  request: Request;
}

/**
 * Who is to be pushed to, in the order of asking. Invariant: a client is at most once under way and once waiting, however
 * often it is asked for; it keeps its place and its first time, and its requests merge. A push sends what is newest when its
 * turn comes, so that a merged one loses nothing.
 *
 *   order    ┄┄ b c d e ┄┄▶ asked for last       passed over, as they were under way at their turn: a
 *               └ next
 */
export class PushQueue<Client, Request> {
  readonly #options: PushQueueOptions<Client, Request>;
  readonly #now: () => number;
  readonly #waiting = new Map<Client, Waiting<Client, Request>>();
  /** In the order of asking; those who left are still in it. Walked once: a map with its first entries deleted would be searched from the start each time. */
  #order: Waiting<Client, Request>[] = [];
  #next = 0;
  /** They go first once their push has ended. At most `concurrency`. */
  readonly #passedOver = new Set<Client>();
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
    if (known !== undefined) {
      known.request = this.#options.merge(known.request, request);
      return;
    }
    const waiting = { client, sinceMs: this.#now(), request };
    this.#waiting.set(client, waiting);
    this.#order.push(waiting);
    this.#start();
  }

  /** The client is gone. */
  forget(client: Client): void {
    this.#waiting.delete(client);
    this.#passedOver.delete(client);
  }

  #start(): void {
    while (this.#running.size < this.#options.concurrency) {
      const next = this.#take();
      if (next === undefined) return;
      this.#push(next);
    }
  }

  /** @returns who has waited longest among those with no push under way */
  #take(): Waiting<Client, Request> | undefined {
    for (const client of this.#passedOver) {
      if (this.#running.has(client)) continue;
      this.#passedOver.delete(client);
      return this.#waiting.get(client);
    }
    if (this.#next >= maxWalked) {
      this.#order.splice(0, this.#next);
      this.#next = 0;
    }
    while (this.#next < this.#order.length) {
      const next = this.#order[this.#next++];
      if (next === undefined || this.#waiting.get(next.client) !== next) continue;
      if (!this.#running.has(next.client)) return next;
      this.#passedOver.add(next.client);
    }
    this.#order = [];
    this.#next = 0;
    return undefined;
  }

  #push({ client, request, sinceMs }: Waiting<Client, Request>): void {
    this.#waiting.delete(client);
    this.#running.add(client);
    const done = () => {
      this.#running.delete(client);
      this.#start();
    };
    this.#options.push(client, request, this.#now() - sinceMs).then(done, done);
  }
}
