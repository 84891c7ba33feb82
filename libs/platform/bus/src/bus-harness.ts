import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { FairleadError } from "@fairlead/errors";
import type { Bus } from "./bus.ts";

/** A cluster that buses are connected to, for one test. */
export interface BusHarness {
  /** Largest message that the cluster takes, in bytes. */
  readonly maxBytes: number;
  /** A bus of the cluster; an adapter within one process may give the same object each time. Redelivery pauses: 10 ms. */
  connect(): Promise<Bus>;
  /** Takes the cluster away from all its buses; their state becomes `disconnected`. */
  disconnect(): Promise<void>;
  /** Gives it back. `loseWatches`: what it knew of its readers is gone. */
  reconnect(options?: { readonly loseWatches?: boolean }): Promise<void>;
  /** Closes the buses it gave. */
  stop(): Promise<void>;
}

/** Polls until it is so; fails after 10 s with what is so instead. */
export async function eventually(check: () => unknown): Promise<void> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    try {
      await check();
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await pause(5);
    }
  }
}

export function rejectsWith(code: string): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof FairleadError, `expected a FairleadError, got ${String(error)}`);
    assert.equal(error.code, code, error.message);
    return true;
  };
}

let names = 0;
/** A name that no test used before, on a server that keeps its data between runs either. */
export function freshName(): string {
  return `t${process.pid}-${Date.now()}-${names++}`;
}

/** How many sockets keep this process alive. */
export function activeSockets(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind.startsWith("TCP")).length;
}
