export interface PushQueueOptions<Client> {
  /** Pushes under way at the same time. */
  readonly concurrency: number;
  /** Settles when the next push may take the place of this one. */
  readonly push: (client: Client, queuedMs: number) => Promise<void>;
}

/**
 * Who is to be pushed to, in the order of asking. A client is at most once under way and once waiting, however often it is
 * asked for; it keeps its place and its first time. What is pushed is decided when its turn comes, so it is the newest.
 */
export class PushQueue<Client> {
  readonly #options: PushQueueOptions<Client>;
  /** To the time of the first asking. */
  readonly #waiting = new Map<Client, number>();
  readonly #running = new Set<Client>();

  constructor(options: PushQueueOptions<Client>) {
    this.#options = options;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  get running(): number {
    return this.#running.size;
  }

  enqueue(client: Client): void {
    if (!this.#waiting.has(client)) this.#waiting.set(client, performance.now());
    this.#next();
  }

  /** The client is gone. */
  forget(client: Client): void {
    this.#waiting.delete(client);
  }

  #next(): void {
    for (const [client, since] of this.#waiting) {
      if (this.#running.size >= this.#options.concurrency) return;
      if (this.#running.has(client)) continue;
      this.#waiting.delete(client);
      this.#running.add(client);
      const done = () => {
        this.#running.delete(client);
        this.#next();
      };
      this.#options.push(client, performance.now() - since).then(done, done);
    }
  }
}
