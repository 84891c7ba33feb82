import type { IncomingMessage, ServerResponse } from "node:http";
import { FairleadError } from "@fairlead/errors";
import type { ProxyRuntime } from "@fairlead/proxy-runtime";
import type { AdsState } from "@fairlead/proxy-xds-client";
import type { AdminAnswer, AdminPage } from "./admin-server.ts";
import { certsPage } from "./certs-page.ts";
import { CounterBaseline } from "./counter-baseline.ts";
import { memoryPage } from "./memory-page.ts";
import { clustersJson, clustersText } from "./clusters-page.ts";
import { configDumpPage } from "./config-dump/config-dump-page.ts";
import { initDump } from "./init-dump.ts";
import { listenersJson, listenersText } from "./listeners-page.ts";
import { prometheusPieces } from "./prometheus-stats.ts";
import { type EpochFacts, histogramsWith, type ProxyStats, type ServerState, statsOf } from "./server-stats.ts";
import { chosenStats, statsPage } from "./stats-page.ts";

export interface ProxyPagesOptions {
  /** What the program is called: `sidecar`. */
  readonly program: string;
  readonly node: { readonly id: string; readonly app: string; readonly labels: Readonly<Record<string, string>> };
  readonly version: string;
  readonly runtime: Pick<ProxyRuntime, "configDump" | "clusterStats" | "stats" | "listeners"> &
    Partial<Pick<ProxyRuntime, "reopenLogs" | "certificates" | "histograms">>;
  readonly ads: () => AdsState;
  readonly state: () => ServerState;
  /** What the proxy waits for; empty = ready. */
  readonly waitingFor: () => readonly string[];
  /** Its level is what POST /logging changes. */
  readonly logger: { level: string };
  /** Writes the process's own metrics in Prometheus' text format. */
  readonly serveMetrics: (request: IncomingMessage, response: ServerResponse) => void;
  /** Of a process that may be replaced by the next one. @default it is the only one */
  readonly epoch?: EpochFacts | undefined;
  /** What POST /reset_counters sets. @default nobody else asks for it */
  readonly baseline?: CounterBaseline | undefined;
  /** Stops accepting calls and lets those under way end; gracefully: goes on accepting until the drain time is over. */
  readonly drain: (graceful: boolean) => void;
  /** The proxy is to be left, though it serves; or not any more. */
  readonly failHealthCheck: (failed: boolean) => void;
  /** Ends the process as SIGTERM does. */
  readonly quit: () => void;
}

/** Of the messages between a supervisor and the processes that serve. */
const HOT_RESTART_VERSION = "1";

const levels = ["trace", "debug", "info", "warn", "error", "fatal"] as const;

const get = (help: string, show: AdminPage["show"]): AdminPage => ({ method: "GET", help, show });
const post = (help: string, show: AdminPage["show"]): AdminPage => ({ method: "POST", help, show });

function* both(pieces: Iterable<string>, more: string): Iterable<string> {
  yield* pieces;
  yield more;
}

function asTextOrJson(query: URLSearchParams, json: () => object, text: () => string): AdminAnswer {
  const format = query.get("format") ?? "text";
  if (format === "json") return { body: json() };
  if (format === "text") return { body: text() };
  throw new FairleadError("FL_REQUEST_INVALID", `format is text or json, not ${format.slice(0, 50)}`);
}

/** The pages of the admin port. Names and meanings are Envoy's; what Envoy has and is not here is not implemented. */
export function proxyPages(options: ProxyPagesOptions): Readonly<Record<string, AdminPage>> {
  const startedAtMs = Date.now();
  const uptimeMs = () => Date.now() - startedAtMs;
  const { node, runtime, logger, epoch, baseline = new CounterBaseline() } = options;
  const counted = (): ProxyStats => ({
    numbers: statsOf({ state: options.state(), uptimeMs: uptimeMs(), epoch }, options.ads(), runtime),
    histograms: histogramsWith(runtime.histograms?.() ?? new Map(), epoch?.parent),
  });
  const stats = () => baseline.since(counted());
  return {
    "/ready": get("200 LIVE when the proxy takes calls, else 503 with what it waits for", () => {
      const state = options.state();
      if (state === "LIVE") return { body: "LIVE\n" };
      return { status: 503, body: [state, ...options.waitingFor()].join("\n") + "\n" };
    }),
    "/server_info": get("version, state, uptime and node", () => {
      const seconds = (ms: number) => `${Math.floor(ms / 1000)}s`;
      return {
        body: {
          version: `fairlead/${options.version}`,
          state: options.state(),
          hot_restart_version: epoch === undefined ? "disabled" : HOT_RESTART_VERSION,
          command_line_options: { restart_epoch: epoch?.epoch ?? 0 },
          uptime_current_epoch: seconds(uptimeMs()),
          uptime_all_epochs: seconds(epoch === undefined ? uptimeMs() : Date.now() - epoch.firstStartMs),
          node: { id: node.id, cluster: node.app, metadata: { labels: node.labels }, user_agent_name: "fairlead" },
        },
      };
    }),
    "/stats": get("counters, gauges and histograms; ?filter=<regex>, ?usedonly, ?format=json or prometheus", (query) =>
      statsPage(stats(), query),
    ),
    "/stats/prometheus": get(
      "the same and the process's metrics in Prometheus text format; ?filter=<regex>, ?usedonly",
      (query, exchange) => {
        const { request, response } = exchange;
        const pieces = prometheusPieces(chosenStats(stats(), query));
        const end = response.end.bind(response);
        // Both are one page for a scraper.
        response.end = (more: unknown) => {
          response.end = end;
          exchange.writePieces(both(pieces, typeof more === "string" ? more : ""));
          return response;
        };
        options.serveMetrics(request, response);
        return { body: undefined };
      },
    ),
    "/reset_counters": post("/stats and /stats/prometheus count from zero again; gauges go on", () => {
      baseline.reset(counted());
      return { body: "OK\n" };
    }),
    "/memory": get("bytes that the process has and uses", () => ({ body: memoryPage() })),
    "/config_dump": get(
      "the configuration that is applied, as Envoy's; ?include_eds, ?resource=dynamic_active_clusters, ?name_regex=<regex>, ?mask=<fields>",
      (query) => ({
        body: configDumpPage({ node, startedAtMs, types: runtime.configDump(), ads: options.ads() }, query),
      }),
    ),
    "/ads": get("the state of the stream that the configuration comes by, with the last NACK of each type", () => ({
      body: options.ads(),
    })),
    "/certs": get(
      "certificates of listeners and clusters, with the days until they end; ?verbose says whose they are",
      (query) => ({ body: certsPage(runtime.certificates?.() ?? [], query.has("verbose")) }),
    ),
    "/init_dump": get("what the start waits for, and listeners that wait for their routes", () => ({
      body: initDump(options.waitingFor(), runtime.listeners()),
    })),
    "/clusters": get("hosts of each cluster; ?format=json, with ?verbose also the cluster's counters", (query) => {
      const clusters = runtime.clusterStats();
      return asTextOrJson(
        query,
        () => clustersJson(clusters, query.has("verbose")),
        () => clustersText(clusters),
      );
    }),
    "/listeners": get("name and address of each listener; ?format=json, with ?verbose also its state", (query) =>
      asTextOrJson(
        query,
        () => listenersJson(runtime.listeners(), query.has("verbose")),
        () => listenersText(runtime.listeners()),
      ),
    ),
    "/logging": post("the level that is logged; ?level=debug sets it", (query) => {
      const level = query.get("level");
      if (level !== null) {
        if (!levels.some((known) => known === level))
          throw new FairleadError(
            "FL_REQUEST_INVALID",
            `level is one of ${levels.join(", ")}, not ${level.slice(0, 50)}`,
          );
        logger.level = level;
      }
      return { body: `active loggers:\n  ${options.program}: ${logger.level}\n` };
    }),
    "/reopen_logs": post("after a rotation: access logs go on in the files that have the names now", () => {
      void runtime.reopenLogs?.();
      return { body: "OK\n" };
    }),
    "/drain_listeners": post(
      "stop accepting calls; those under way end. ?graceful: first ask clients to leave, over the drain time",
      (query) => {
        options.drain(query.has("graceful"));
        return { body: "OK\n" };
      },
    ),
    "/healthcheck/fail": post(
      "health checks fail, /ready too, and each response ends its connection; calls are served",
      () => {
        options.failHealthCheck(true);
        return { body: "OK\n" };
      },
    ),
    "/healthcheck/ok": post("takes /healthcheck/fail back", () => {
      options.failHealthCheck(false);
      return { body: "OK\n" };
    }),
    "/quitquitquit": post("stop as on SIGTERM: withdraw, drain, end", () => {
      options.quit();
      return { body: "OK\n" };
    }),
  };
}
