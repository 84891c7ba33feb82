import type { ReplicaCommit, TouchedNames } from "@fairlead/snapshot";
import { detached } from "@fairlead/telemetry";
import { Debounce } from "./debounce.ts";
import { laneOf, type PushLane, pushLanes } from "./push-lane.ts";
import { PushQueue } from "./push-queue.ts";
import type { LaneStatus } from "./push-status.ts";

/** A stream, as the pipeline sees it. */
export interface PushTarget {
  /** Notes what is to be sent. While a push is to come this costs the same whatever was touched. @returns whether it concerns the stream */
  announce(touched: TouchedNames, commit: ReplicaCommit): boolean;
  /** Sends the newest of what was announced. `endpoints`: of endpoints only. Settles when the next stream's turn is. */
  push(lane: PushLane): Promise<void>;
}

export interface LaneTimes {
  readonly quietMs: number;
  readonly maxMs: number;
}

export interface PushPipelineOptions {
  readonly lanes: Readonly<Record<PushLane, LaneTimes>>;
  /** Streams that are written to at the same time. */
  readonly concurrency: number;
  /** A commit touched streams; called once for each lane that it goes into. */
  readonly onTriggered: (lane: PushLane) => void;
  /** A lane was let through, after this time. */
  readonly onDebounced: (heldMs: number) => void;
  /** A stream's turn came, after this time. */
  readonly onTurn: (queuedMs: number) => void;
}

interface Lane<Target> {
  readonly debounce: Debounce;
  /** Announced to, and not in the queue yet. */
  readonly announced: Set<Target>;
}

/**
 * From a commit to the streams that it touches, and to no others:
 *
 *                                        ┌─ endpoints ──── debounce ─┐
 *   commit → announce (pending from now) ┤                           ├→ push queue → stream
 *                                        └─ configuration ─ debounce ┘
 */
export class PushPipeline<Target extends PushTarget> {
  readonly #options: PushPipelineOptions;
  readonly #lanes: ReadonlyMap<PushLane, Lane<Target>>;
  readonly #queue: PushQueue<Target, PushLane>;

  constructor(options: PushPipelineOptions) {
    this.#options = options;
    this.#lanes = new Map(pushLanes.map((lane) => [lane, this.#openLane(lane)]));
    this.#queue = new PushQueue({
      concurrency: options.concurrency,
      // A push of the configuration sends endpoints, too.
      merge: (waiting, next) => (waiting === next ? next : "configuration"),
      push: async (target, lane, queuedMs) => {
        options.onTurn(queuedMs);
        await target.push(lane);
      },
    });
  }

  #openLane(lane: PushLane): Lane<Target> {
    const announced = new Set<Target>();
    const debounce = new Debounce({
      ...this.#options.lanes[lane],
      fire: (heldMs) => {
        this.#options.onDebounced(heldMs);
        // What a push does belongs to no trace: it may carry the changes of many.
        detached(() => {
          for (const target of announced) this.#queue.enqueue(target, lane);
          announced.clear();
        });
      },
    });
    return { announced, debounce };
  }

  /** Streams that wait for their turn, and those that have it. */
  get queued(): { readonly waiting: number; readonly running: number } {
    return { waiting: this.#queue.waiting, running: this.#queue.running };
  }

  /** Streams that wait for the debounce of their lane. */
  get lanes(): readonly LaneStatus[] {
    return [...this.#lanes].map(([lane, { announced, debounce }]) => ({
      lane,
      announced: announced.size,
      heldMs: debounce.heldMs,
    }));
  }

  /** @param touched the streams whose view the commit changed @returns how many it concerns */
  committed(touched: Iterable<readonly [Target, TouchedNames]>, commit: ReplicaCommit): number {
    const lanes = new Set<PushLane>();
    let concerned = 0;
    for (const [target, names] of touched) {
      if (!target.announce(names, commit)) continue;
      concerned++;
      const lane = laneOf(names);
      lanes.add(lane);
      this.#lanes.get(lane)?.announced.add(target);
    }
    for (const lane of pushLanes.filter((one) => lanes.has(one))) {
      this.#options.onTriggered(lane);
      this.#lanes.get(lane)?.debounce.changed();
    }
    return concerned;
  }

  /** The stream is gone. */
  forget(target: Target): void {
    for (const { announced } of this.#lanes.values()) announced.delete(target);
    this.#queue.forget(target);
  }

  /** Nothing is let through any more. */
  stop(): void {
    for (const { debounce } of this.#lanes.values()) debounce.stop();
  }
}
