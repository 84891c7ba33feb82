import type { OverloadConfig } from "@fairlead/proxy-overload";
import type { Cluster, HealthReporter } from "@fairlead/proxy-upstream";
import type { CommonCells, StatStore } from "@fairlead/stat-cells";
import type { AccessLogSpec } from "./access-log/access-log.ts";
import type { ResolveName, WatchNames } from "./cluster/dns-hosts.ts";
import type { Watchdog } from "./watchdog/watchdog.ts";
import type { UnknownFields } from "./translate/newer-fields.ts";
import type { SocketRequest, SocketSource } from "./listener/socket-source.ts";

/** Where the proxy writes what it has to say; pino's Logger fits. */
export interface RuntimeLogger {
  debug(facts: object, message: string): void;
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
  error(facts: object, message: string): void;
}

export interface ProxyRuntimeOptions {
  readonly logger: RuntimeLogger;
  /** The id of this proxy in the mesh; it appears in what is said when a thread hangs. */
  readonly nodeId: string;
  /** A monotonic clock, in milliseconds. @default performance.now */
  readonly now?: () => number;
  /**
   * Where this proxy is (`region/zone/subzone`), and the name of the cluster whose hosts are the proxies that call as it does: for
   * clusters that keep requests in their zone. @default not known: requests go to all zones
   */
  readonly zone?: { readonly locality: string; readonly cluster: string } | undefined;
  /** Uniform in [0, 1): balancing, weighted clusters, back-off. @default Math.random */
  readonly random?: () => number;
  /** For clusters that name their hosts. @default the system's resolver */
  readonly resolveName?: ResolveName;
  /** Who follows those names. @default this thread, with `resolveName` */
  readonly watchNames?: WatchNames;
  /** Who checks hosts and puts them out for all threads. @default this one does, for itself */
  readonly reporter?: HealthReporter;
  /** Told what this thread finds out about the hosts of a cluster. */
  readonly onHealth?: (cluster: Cluster) => void;
  /** How long a drained listener, or `drain()`, waits for requests under way, in milliseconds. @default 20000 */
  readonly drainTimeoutMs?: number;
  /** Connections that one listener has at the same time; more are closed at once. @default 10000 */
  readonly maxConnections?: number;
  /** What is done with fields that are newer than our protos. @default refuse */
  readonly unknownFields?: UnknownFields | undefined;
  /** Where listening sockets come from. @default they are bound here */
  readonly sockets?: SocketSource;
  /** Other threads of this process listen on the same addresses. @default false */
  readonly reusePort?: boolean;
  /** The port of a listener on any free port, where that is to be the same in several threads. @default the system chooses one */
  readonly portOf?: ((request: SocketRequest) => number | undefined) | undefined;
  /** What to do less of when something runs short. @default nothing */
  readonly overload?: OverloadConfig | undefined;
  /** Its numbers are among the statistics; it ends with the proxy. @default none */
  readonly watchdog?: Watchdog | undefined;
  /** How late this thread's event loop has been lately. @default not known */
  readonly loopDelayMs?: (() => number) | undefined;
  /** What limits count in over all threads. @default those of this thread alone */
  readonly common?: CommonCells | undefined;
  /** Where counters are kept. @default objects of this thread */
  readonly stats?: StatStore;
  /** One line at info for each request. Off on the hot path; errors are always counted. @default false */
  readonly accessLog?: boolean;
  /** Of the requests on all listeners, besides what their configuration says. @default none */
  readonly accessLogs?: readonly AccessLogSpec[];
}
