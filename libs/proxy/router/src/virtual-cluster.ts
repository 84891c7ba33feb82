import type { RequestHead } from "@fairlead/proxy-stream";
import { compileHeader, type HeaderTest } from "./compile-match.ts";
import { endSearch, MatchTooLong, startSearch } from "./regex/bounded-match.ts";
import type { HeaderMatch } from "./route-match.ts";

/** Requests of a virtual host that are counted together, whatever their routes are. */
export interface VirtualClusterSpec {
  readonly name: string;
  /** All must match. */
  readonly headers: readonly HeaderMatch[];
}

/** Ready to use. */
export interface VirtualCluster {
  /** undefined: of what no other takes. */
  readonly name: string | undefined;
  /** Of its statistics: `vhost.<virtual host>.vcluster.<name>.` */
  readonly prefix: string;
}

export type FindVirtualCluster = (head: RequestHead) => VirtualCluster;

/** @returns undefined where there are none, as nearly everywhere. @throws FairleadError FL_ROUTE_INVALID */
export function compileVirtualClusters(
  specs: readonly VirtualClusterSpec[] | undefined,
  host: string,
  where: string,
): FindVirtualCluster | undefined {
  if (specs === undefined || specs.length === 0) return undefined;
  const named = specs.map(({ name, headers }, i) => ({
    cluster: { name, prefix: `vhost.${host}.vcluster.${name}.` },
    tests: headers.map((header, h): HeaderTest => compileHeader(header, `${where}[${i}].headers[${h}]`)),
  }));
  // Envoy's name for the rest.
  const others: VirtualCluster = { name: undefined, prefix: `vhost.${host}.vcluster.other.` };
  return (head) => {
    startSearch();
    try {
      return named.find(({ tests }) => tests.every((test) => test(head)))?.cluster ?? others;
    } catch (error) {
      // What is only counted must not refuse a request.
      if (error instanceof MatchTooLong) return others;
      throw error;
    } finally {
      endSearch();
    }
  };
}
