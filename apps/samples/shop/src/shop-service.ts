import type { Call } from "./mesh-caller.ts";
import type { RpcProtocolName } from "./rpc/rpc-protocol.ts";

/** Who answered: part of every answer, so that a weighted route can be seen from outside. */
export interface ServedBy {
  readonly instance: string;
  readonly version: string;
}

/** Calls a method of another service over Dubbo or bolt, and gives what it answers. @throws CallFailed */
export type RpcCall = (service: string, method: string, args: readonly string[]) => Promise<unknown>;

/** One service of the shop: what it is called in the mesh, whom it calls, and what it answers. */
export interface ShopService {
  /** The name that callers use as Host. */
  readonly interface: string;
  /** The interfaces that it calls: what it subscribes to. */
  readonly calls: readonly string[];
  /** Those of Dubbo and bolt that it calls, where its sidecar has a port for them. */
  readonly rpcCalls?: ReadonlyMap<string, RpcProtocolName>;
  /**
   * @param path of the request, without a query
   * @param call calls another service through the sidecar, in the trace of the request
   * @param rpcCall the same for `rpcCalls`; undefined where the sidecar has no port for them
   * @returns the answer's body; undefined = 404
   */
  answer(path: string, servedBy: ServedBy, call: Call, rpcCall?: RpcCall): Promise<object | undefined>;
}
