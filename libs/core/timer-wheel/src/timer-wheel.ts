import type { Expiring, WheelTimer } from "./wheel-timer.ts";

const NEVER = Number.POSITIVE_INFINITY;

export interface TimerWheelOptions {
  /** Monotonic, in milliseconds. @default performance.now */
  readonly now?: () => number;
  /** How far apart the wheel's looks are. @default 100 */
  readonly tickMs?: number;
  /** A power of two. What is due after `slots` ticks is looked at once a round until then. @default 512 */
  readonly slots?: number;
  /** Calls `look` again and again until the returned function is called. @default setInterval, unref'd */
  readonly every?: (look: () => void, intervalMs: number) => () => void;
}

/**
 * Coarse timers for many connections and streams, all on one interval timer.
 *
 * ```
 *   slots   0    1    2    3   …  511      a slot is a ring of timers through its head;
 *           ○    ○    ○    ○       ○       `lookAtMs` of a timer is its slot's time, never after its deadline
 *           │    │         │               unless the deadline was moved later since
 *           ●    ●         ●
 *           ●         ▲
 *                     └ tick: what lies here is due, or is put further on
 * ```
 *
 * A deadline is never met early, and at most two ticks late: these are for protection (idle, slow heads), not for people's
 * time-outs. The interval does not keep the process alive, and stops when nothing is armed.
 */
export class TimerWheel {
  readonly #now: () => number;
  readonly #tickMs: number;
  readonly #mask: number;
  readonly #every: (look: () => void, intervalMs: number) => () => void;
  readonly #slots: Entry[];
  /** What is being told now. It keeps its rest when one of them throws, so that the next tick goes on. */
  readonly #due: Entry;
  #armed = 0;
  #nowMs = 0;
  #tick = 0;
  #stop: (() => void) | undefined;
  #closed = false;

  constructor(options: TimerWheelOptions = {}) {
    this.#now = options.now ?? (() => performance.now());
    this.#tickMs = options.tickMs ?? 100;
    this.#every = options.every ?? everyUnreferenced;
    const slots = options.slots ?? 512;
    this.#mask = slots - 1;
    this.#slots = Array.from({ length: slots }, () => new Entry(this, undefined));
    this.#due = new Entry(this, undefined);
  }

  /** The time of the last look, or the clock's while the wheel stands still. Cheap enough to be read for each message. */
  get nowMs(): number {
    return this.#stop === undefined ? this.#now() : this.#nowMs;
  }

  /** The clock's time, exactly. */
  get clockMs(): number {
    return this.#now();
  }

  /** How long after its deadline a timer is told at most, unless the thread is busy. */
  get latenessMs(): number {
    return 2 * this.#tickMs;
  }

  /** Timers that the wheel holds, those with their deadline moved away and not looked at since among them. */
  get armed(): number {
    return this.#armed;
  }

  timer(target: Expiring): WheelTimer {
    return new Entry(this, target);
  }

  /** Forgets all timers, and takes no more. */
  close(): void {
    this.#closed = true;
    for (const head of [this.#due, ...this.#slots]) {
      while (head.next !== head) this.remove(head.next);
    }
    this.#stop?.();
    this.#stop = undefined;
  }

  /** @internal puts a timer where its deadline is, from wherever it is */
  place(entry: Entry): void {
    if (this.#closed) return;
    if (this.#stop === undefined) this.#start();
    if (entry.lookAtMs === NEVER) this.#armed++;
    else entry.unlink();
    const wanted = Math.ceil(entry.deadlineMs / this.#tickMs);
    const tick = Math.min(Math.max(wanted, this.#tick + 1), this.#tick + this.#mask);
    entry.lookAtMs = tick * this.#tickMs;
    entry.linkBefore(this.#slots[tick & this.#mask]!);
  }

  /** @internal */
  remove(entry: Entry): void {
    this.#armed--;
    entry.unlink();
    entry.lookAtMs = NEVER;
  }

  #start(): void {
    this.#nowMs = this.#now();
    this.#tick = Math.floor(this.#nowMs / this.#tickMs);
    this.#stop = this.#every(() => this.#look(), this.#tickMs);
  }

  #look(): void {
    this.#nowMs = this.#now();
    const until = Math.floor(this.#nowMs / this.#tickMs);
    this.#tellDue();
    // After a long stall one round is enough: each slot was then passed.
    if (until - this.#tick > this.#mask) this.#tick = until - this.#mask - 1;
    while (this.#tick < until && this.#armed > 0) {
      this.#tick++;
      this.#due.takeAllOf(this.#slots[this.#tick & this.#mask]!);
      this.#tellDue();
    }
    this.#tick = until;
    if (this.#armed === 0) {
      this.#stop?.();
      this.#stop = undefined;
    }
  }

  #tellDue(): void {
    while (this.#due.next !== this.#due) {
      const entry = this.#due.next;
      if (entry.deadlineMs <= this.#nowMs) entry.expire();
      else if (entry.deadlineMs === NEVER) this.remove(entry);
      else this.place(entry);
    }
  }
}

/** A timer, or the head of a slot's ring. */
class Entry implements WheelTimer {
  readonly #wheel: TimerWheel;
  readonly #target: Expiring | undefined;
  #deadlineMs = NEVER;
  next: Entry = this;
  previous: Entry = this;
  /** When the wheel will come past it; `Infinity` while it lies in no slot, `-Infinity` when it never will again. */
  lookAtMs = NEVER;

  constructor(wheel: TimerWheel, target: Expiring | undefined) {
    this.#wheel = wheel;
    this.#target = target;
  }

  get deadlineMs(): number {
    return this.#deadlineMs;
  }

  set deadlineMs(value: number) {
    this.#deadlineMs = value;
    if (value < this.lookAtMs) this.#wheel.place(this);
  }

  cancel(): void {
    this.#deadlineMs = NEVER;
    if (Number.isFinite(this.lookAtMs)) this.#wheel.remove(this);
    // No deadline is before that, so that none is placed any more.
    this.lookAtMs = Number.NEGATIVE_INFINITY;
  }

  expire(): void {
    this.#deadlineMs = NEVER;
    this.#wheel.remove(this);
    this.#target?.onDeadline();
  }

  unlink(): void {
    this.previous.next = this.next;
    this.next.previous = this.previous;
    this.next = this;
    this.previous = this;
  }

  linkBefore(head: Entry): void {
    this.previous = head.previous;
    this.next = head;
    head.previous.next = this;
    head.previous = this;
  }

  /** Moves a ring's timers behind this head's own. */
  takeAllOf(head: Entry): void {
    if (head.next === head) return;
    const first = head.next;
    const last = head.previous;
    head.next = head;
    head.previous = head;
    first.previous = this.previous;
    this.previous.next = first;
    last.next = this;
    this.previous = last;
  }
}

function everyUnreferenced(look: () => void, intervalMs: number): () => void {
  const timer = setInterval(look, intervalMs);
  timer.unref();
  return () => clearInterval(timer);
}
