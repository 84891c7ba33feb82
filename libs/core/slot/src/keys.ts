/** The name of a slot, and the type of what the control thread sends for it. Both sides import the same constant. */
export interface SlotKey<Payload> {
  readonly name: string;
  /** Never set: it only carries the type. */
  readonly payload?: Payload;
}

/** The name of something that every worker can be asked to do. */
export interface TaskKey<Argument, Result> {
  readonly name: string;
  readonly argument?: Argument;
  readonly result?: Result;
}

/** @param name one slot of that name a `SlotControl` */
export function slotKey<Payload>(name: string): SlotKey<Payload> {
  return { name };
}

export function taskKey<Argument, Result>(name: string): TaskKey<Argument, Result> {
  return { name };
}
