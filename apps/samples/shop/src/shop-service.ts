import type { Call } from "./mesh-caller.ts";

/** Who answered: part of every answer, so that a weighted route can be seen from outside. */
export interface ServedBy {
  readonly instance: string;
  readonly version: string;
}

/** One service of the shop: what it is called in the mesh, whom it calls, and what it answers. */
export interface ShopService {
  /** The name that callers use as Host. */
  readonly interface: string;
  /** The interfaces that it calls: what it subscribes to. */
  readonly calls: readonly string[];
  /**
   * @param path of the request, without a query
   * @param call calls another service through the sidecar, in the trace of the request
   * @returns the answer's body; undefined = 404
   */
  answer(path: string, servedBy: ServedBy, call: Call): Promise<object | undefined>;
}
