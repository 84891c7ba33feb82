import type { RunningOptions } from "../../running.ts";
import type { ProxyCase } from "../proxy-case.ts";

/** What a contender may need to serve a case. */
export interface ContenderInput {
  readonly port: number;
  /** Of the backend, which speaks HTTP/1.1 for HTTP/1.1's cases and HTTP/2 for the others. */
  readonly backendPort: number;
  /** Of the backend that speaks HTTP/1.1 in any case. */
  readonly http1BackendPort: number;
  /** The proxy's own. */
  readonly folder: string;
  readonly certificate: { readonly chain: string; readonly key: string };
  /** Clusters besides the one that is called, each with `endpointsOfEach` endpoints that nobody calls. */
  readonly moreClusters: number;
  readonly endpointsOfEach: number;
}

/** A proxy under measurement. */
export interface Contender {
  readonly name: string;
  /** Told to readers below the tables. */
  readonly note?: string | undefined;
  /** undefined where it is there; else why it is not. */
  readonly missing?: string | undefined;
  readonly takes: (what: ProxyCase) => boolean;
  /** Before it starts: what it reads from its folder. */
  readonly prepare?: (what: ProxyCase, input: ContenderInput) => Promise<void>;
  readonly command: (what: ProxyCase, input: ContenderInput) => readonly string[];
  readonly options?: RunningOptions;
}

/** Where the clusters that nobody calls have their endpoints. */
export function idleEndpoints(count: number): readonly { readonly address: string; readonly port: number }[] {
  return Array.from({ length: count }, (_none, i) => ({ address: `10.1.${i >> 8}.${i & 255}`, port: 8080 }));
}
