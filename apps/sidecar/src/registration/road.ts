import { FairleadError } from "@fairlead/errors";
import type { PublicationAnswer, ServiceBody } from "@fairlead/registration";
import "../errors.ts";

/** What a road waits for now; `none` when there is no road. */
export type Step = "none" | "store" | "inbound" | "ready" | "draining" | "idle" | "delete";

export const stepMeaning: Readonly<Record<Step, string>> = {
  none: "nothing",
  store: "registry-sync to store it",
  inbound: "this sidecar's inbound listener to serve it (its configuration has not arrived)",
  ready: "registry-sync to store that it is ready, and the callers' proxies to ACK",
  draining: "the callers' proxies to ACK that it is withdrawn",
  idle: "calls that are under way to end",
  delete: "registry-sync to delete it",
};

/** One way of a publication from where it is to a goal. */
export interface Road {
  readonly goal: "publish" | "withdraw";
  readonly service: ServiceBody;
  /** It goes on until its goal is reached, whatever fails for a time. */
  readonly insists: boolean;
  /** The registry has its first step: what is promised from here on is kept. */
  readonly stored: Promise<PublicationAnswer>;
  readonly done: Promise<PublicationAnswer>;
  /** Whoever waits for it gets FL_SUPERSEDED. */
  stop(): void;
}

export interface Walk {
  /** @param stored to be called when the registry has the first step; the end of the walk does it otherwise */
  (signal: AbortSignal, stored: (answer: PublicationAnswer) => void): Promise<PublicationAnswer>;
}

/** At most one road at a time: a new one stops the one before, and starts to walk when that has ended. */
export class OneRoad {
  readonly #ended: (error: FairleadError | undefined) => void;
  #current: Road | undefined;

  /** @param ended called when the current road ends, before those who wait for it hear of it */
  constructor(ended: (error: FairleadError | undefined) => void) {
    this.#ended = ended;
  }

  get current(): Road | undefined {
    return this.#current;
  }

  take(start: Pick<Road, "goal" | "service" | "insists">, walk: Walk): Road {
    const before = this.#current;
    before?.stop();
    const abort = new AbortController();
    const stored = Promise.withResolvers<PublicationAnswer>();
    const done = Promise.withResolvers<PublicationAnswer>();
    const road: Road = {
      ...start,
      stored: stored.promise,
      done: done.promise,
      stop: () =>
        abort.abort(
          new FairleadError("FL_SUPERSEDED", "a later call about this publication took the place of this one"),
        ),
    };
    // Whoever waits gets a rejection; a road in the background has nobody who waits.
    road.stored.catch(() => undefined);
    road.done.catch(() => undefined);
    this.#current = road;
    void (async () => {
      await before?.done.catch(() => undefined);
      try {
        abort.signal.throwIfAborted();
        const answer = await walk(abort.signal, stored.resolve);
        this.#end(road, undefined);
        stored.resolve(answer);
        done.resolve(answer);
      } catch (caught) {
        const error = FairleadError.from(caught);
        this.#end(road, error);
        stored.reject(error);
        done.reject(error);
      }
    })();
    return road;
  }

  #end(road: Road, error: FairleadError | undefined): void {
    if (this.#current !== road) return;
    this.#current = undefined;
    this.#ended(error);
  }
}
