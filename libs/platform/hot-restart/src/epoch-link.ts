import type { EpochReport, FromEpoch, FromSupervisor, SocketRequest } from "./messages.ts";

/** A bound socket of the supervisor's, to be listened on once. */
export interface HandedSocket {
  readonly port: number;
  /** As `net.Server.listen` takes it. */
  readonly handle: object;
  /** Accepts only from then on. */
  readonly mayAccept?: Promise<void>;
}

/** The channel to the supervisor; `process` has it in a process that was forked. */
export interface SupervisorChannel {
  send?(message: FromEpoch, callback: (error: Error | null) => void): unknown;
  on(event: "message", listener: (message: FromSupervisor, handle: unknown) => void): unknown;
  on(event: "disconnect", listener: () => void): unknown;
}

interface Pending {
  readonly resolve: (socket: HandedSocket) => void;
  readonly reject: (error: Error) => void;
}

const noReport: EpochReport = { counters: {}, connections: 0 };

/** What a process that serves has of its supervisor: sockets, and its place in the row of epochs. */
export class EpochLink {
  readonly epoch: number;
  /** Of the first epoch, in milliseconds since 1970. */
  readonly firstStartMs: number;
  /** Another process serves until this one is ready. */
  readonly replaces: boolean;
  /** The one before it registers and accepts nothing any more, or there is none. */
  readonly parentHandedOver: Promise<void>;
  /** The one before it has ended, or there is none. */
  readonly parentGone: Promise<void>;
  /** Sockets accept from here on. */
  readonly #mayAccept: Promise<void> | undefined;
  readonly #channel: SupervisorChannel;
  readonly #pending = new Map<number, Pending>();
  /** Taken, and not listened on yet. */
  readonly #unused = new Map<string, Promise<HandedSocket>>();
  #parent = noReport;
  #nextId = 0;
  #isReady = false;
  #open: () => void = () => undefined;
  #onHandedOver: () => void = () => undefined;
  #onParentGone: () => void = () => undefined;
  #onRetire: () => void = () => undefined;
  #onStop: (() => void) | undefined;
  #stopAsked = false;

  private constructor(welcome: Extract<FromSupervisor, { kind: "welcome" }>, channel: SupervisorChannel) {
    this.epoch = welcome.epoch;
    this.firstStartMs = welcome.firstStartMs;
    this.replaces = welcome.replaces;
    this.#channel = channel;
    const until = (take: (resolve: () => void) => void) =>
      welcome.replaces ? new Promise<void>(take) : Promise.resolve();
    this.parentHandedOver = until((resolve) => (this.#onHandedOver = resolve));
    this.parentGone = until((resolve) => (this.#onParentGone = resolve));
    this.#mayAccept = welcome.replaces ? until((resolve) => (this.#open = resolve)) : undefined;
  }

  /** Resolves when the supervisor has told this process its place. */
  static async join(channel: SupervisorChannel): Promise<EpochLink> {
    return await new Promise((resolve) => {
      let link: EpochLink | undefined;
      channel.on("message", (message, handle) => {
        if (message.kind === "welcome") resolve((link = new EpochLink(message, channel)));
        else if (link !== undefined) link.#onMessage(message, handle);
      });
      channel.on("disconnect", () => {
        if (link !== undefined) link.#stop();
      });
    });
  }

  /** What the one before this one has counted, and how much it still has to do. */
  get parent(): EpochReport {
    return this.#parent;
  }

  /** Rejects with the system's error (EADDRINUSE, EACCES …). What was taken and not listened on yet is given again. */
  async take(request: SocketRequest): Promise<HandedSocket> {
    const key = JSON.stringify([request.name, request.address, request.port, request.worker ?? 0]);
    const known = this.#unused.get(key);
    const socket = known ?? this.#ask(request);
    this.#unused.set(key, socket);
    try {
      const { port, handle } = await socket;
      const mayAccept = this.#mayAccept;
      const use = () => this.#unused.delete(key);
      // Who reads the handle listens on it.
      return {
        port,
        get handle() {
          use();
          return handle;
        },
        ...(mayAccept === undefined ? {} : { mayAccept }),
      };
    } catch (error) {
      this.#unused.delete(key);
      throw error;
    }
  }

  release(request: SocketRequest): void {
    const { name, address, port, workers = 1 } = request;
    this.#send({ kind: "release", name, address, port, workers });
  }

  /** Its start has succeeded. */
  up(): void {
    this.#send({ kind: "up" });
  }

  /** What it waits for before it is ready, for the supervisor's log. */
  waiting(reasons: readonly string[]): void {
    if (!this.#isReady) this.#send({ kind: "waiting", for: reasons });
  }

  /** All is there: its sockets accept, and the one before it goes. Once. */
  ready(): void {
    if (this.#isReady) return;
    this.#isReady = true;
    this.#open();
    this.#send({ kind: "ready" });
  }

  /** Told once: stop accepting, `handedOver`, drain, end. */
  onRetire(retire: () => void): void {
    this.#onRetire = retire;
  }

  /** The supervisor stops, or is gone; perhaps since before somebody asked. */
  onStop(stop: () => void): void {
    this.#onStop = stop;
    if (this.#stopAsked) stop();
  }

  #stop(): void {
    this.#stopAsked = true;
    this.#onStop?.();
  }

  handedOver(): void {
    this.#send({ kind: "handed-over" });
  }

  report(report: EpochReport): void {
    this.#send({ kind: "report", ...report });
  }

  /** Asks the supervisor to stop all. */
  quit(): void {
    this.#send({ kind: "quit" });
  }

  #onMessage(message: FromSupervisor, handle: unknown): void {
    switch (message.kind) {
      case "taken":
        this.#answer(message.id)?.resolve({ port: message.port, handle: handle as object });
        return;
      case "refused": {
        const { code, message: text } = message;
        this.#answer(message.id)?.reject(Object.assign(new Error(text), { code }));
        return;
      }
      case "retire":
        return this.#onRetire();
      case "parent-handed-over":
        return this.#onHandedOver();
      case "parent-report":
        this.#parent = { counters: message.counters, histograms: message.histograms, connections: message.connections };
        return;
      case "parent-gone":
        this.#parent = { ...this.#parent, connections: 0 };
        // It may have crashed: nobody else accepts.
        this.#open();
        this.#onHandedOver();
        return this.#onParentGone();
      case "stop":
        return this.#stop();
      case "welcome":
        return;
    }
  }

  #ask(request: SocketRequest): Promise<HandedSocket> {
    return new Promise((resolve, reject) => {
      const id = this.#nextId++;
      this.#pending.set(id, { resolve, reject });
      const { name, address, port, worker = 0, workers = 1 } = request;
      this.#send({ kind: "take", id, name, address, port, worker, workers });
    });
  }

  #answer(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    return pending;
  }

  /** What can no longer be sent is not missed: without its supervisor this process stops. */
  #send(message: FromEpoch): void {
    this.#channel.send?.(message, () => undefined);
  }
}
