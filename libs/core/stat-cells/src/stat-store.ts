import type { StatClass } from "./cell-layout.ts";

/** Who makes groups of counters. */
export interface StatStore {
  /**
   * @param key the same in all threads for what is to be counted together
   */
  create<Group extends object>(key: string, type: StatClass<Group>): Group;
  /** Nothing is counted under the key any more. */
  forget(key: string): void;
}

/** Of a process with one thread: ordinary objects. */
export const localStats: StatStore = { create: (_key, type) => new type(), forget: () => undefined };
