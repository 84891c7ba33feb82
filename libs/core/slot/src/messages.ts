/** An end of a channel between two threads: a MessagePort, a Worker, or parentPort. Messages arrive in the order sent. */
export interface SlotPort {
  postMessage(message: unknown): void;
  on(event: "message", listener: (message: unknown) => void): unknown;
  off(event: "message", listener: (message: unknown) => void): unknown;
}

/** From the control thread. What is sent in one turn comes as one array. */
export type Command =
  | {
      readonly kind: "set";
      readonly sequence: number;
      readonly name: string;
      readonly version: number;
      readonly payload: unknown;
    }
  | { readonly kind: "run"; readonly sequence: number; readonly name: string; readonly argument: unknown };

/** From a worker, one a command, in the order in which they were done. */
export interface Answer {
  readonly sequence: number;
  readonly result?: unknown;
  /** What was thrown. A slot keeps its value of before. */
  readonly failure?: string;
}
