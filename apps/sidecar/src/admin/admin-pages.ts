import { FairleadError } from "@fairlead/errors";
import type { HttpApiOptions } from "@fairlead/http-api";
import type { Logger } from "@fairlead/logging";
import type { ProxyRuntime } from "@fairlead/proxy-runtime";
import type { AdsState } from "@fairlead/proxy-xds-client";
import type { NodeBody } from "@fairlead/registration";
import type { AdminAnswer, AdminPage } from "./admin-server.ts";
import { type ServerState, statsOf } from "./proxy-state.ts";

export interface AdminPagesOptions {
  readonly node: NodeBody;
  readonly version: string;
  readonly runtime: Pick<ProxyRuntime, "configDump" | "clusterStats" | "stats" | "listeners">;
  readonly ads: () => AdsState;
  readonly state: () => ServerState;
  /** What the proxy waits for; empty = ready. */
  readonly waitingFor: () => readonly string[];
  readonly logger: Logger;
  readonly telemetry: HttpApiOptions["telemetry"];
  /** Stops accepting calls and lets those under way end. */
  readonly drain: () => void;
  /** Ends the process as SIGTERM does. */
  readonly quit: () => void;
}

const levels = ["trace", "debug", "info", "warn", "error", "fatal"] as const;

function asTextOrJson(query: URLSearchParams, json: () => object, text: () => string): AdminAnswer {
  const format = query.get("format") ?? "text";
  if (format === "json") return { body: json() };
  if (format === "text") return { body: text() };
  throw new FairleadError("FL_REQUEST_INVALID", `format is text or json, not ${format.slice(0, 50)}`);
}

/** The pages of the admin port. Names and meanings are Envoy's; what Envoy has and is not here is not implemented. */
export function adminPages(options: AdminPagesOptions): Readonly<Record<string, AdminPage>> {
  const startedAtMs = Date.now();
  const uptimeMs = () => Date.now() - startedAtMs;
  const { node, runtime, logger } = options;
  const stats = () => statsOf({ state: options.state(), uptimeMs: uptimeMs() }, options.ads(), runtime);
  return {
    "/ready": {
      method: "GET",
      help: "200 LIVE when the proxy takes calls, else 503 with what it waits for",
      show: () => {
        const state = options.state();
        if (state === "LIVE") return { body: "LIVE\n" };
        return { status: 503, body: [state, ...options.waitingFor()].join("\n") + "\n" };
      },
    },
    "/server_info": {
      method: "GET",
      help: "version, state, uptime and node",
      show: () => ({
        body: {
          version: `fairlead/${options.version}`,
          state: options.state(),
          uptime_current_epoch: `${Math.floor(uptimeMs() / 1000)}s`,
          node: { id: node.id, cluster: node.app, metadata: { labels: node.labels }, user_agent_name: "fairlead" },
        },
      }),
    },
    "/stats": {
      method: "GET",
      help: "counters and gauges; ?format=json",
      show: (query) =>
        asTextOrJson(
          query,
          () => ({ stats: [...stats()].map(([name, value]) => ({ name, value })) }),
          () => [...stats()].map(([name, value]) => `${name}: ${value}\n`).join(""),
        ),
    },
    "/stats/prometheus": {
      method: "GET",
      help: "the process's metrics in Prometheus text format",
      show: (_query, { request, response }) => {
        options.telemetry.serveMetrics(request, response);
        return { body: undefined };
      },
    },
    "/config_dump": {
      method: "GET",
      help: "the configuration that is applied, and the state of its ADS stream",
      show: () => ({ body: { ...runtime.configDump(), ads: options.ads() } }),
    },
    "/clusters": { method: "GET", help: "hosts and counters of each cluster", show: () => ({ body: runtime.clusterStats() }) },
    "/listeners": {
      method: "GET",
      help: "name and address of each listener; ?format=json",
      show: (query) =>
        asTextOrJson(
          query,
          () => ({ listeners: runtime.listeners() }),
          () =>
            runtime
              .listeners()
              .map(({ name, address, port }) => `${name}::${address}:${port}\n`)
              .join(""),
        ),
    },
    "/logging": {
      method: "POST",
      help: "the level that is logged; ?level=debug sets it",
      show: (query) => {
        const level = query.get("level");
        if (level !== null) {
          if (!levels.some((known) => known === level)) {
            throw new FairleadError("FL_REQUEST_INVALID", `level is one of ${levels.join(", ")}, not ${level.slice(0, 50)}`);
          }
          logger.level = level;
        }
        return { body: `active loggers:\n  sidecar: ${logger.level}\n` };
      },
    },
    "/drain_listeners": {
      method: "POST",
      help: "stop accepting calls; those under way end",
      show: () => {
        options.drain();
        return { body: "OK\n" };
      },
    },
    "/quitquitquit": {
      method: "POST",
      help: "stop as on SIGTERM: withdraw, drain, end",
      show: () => {
        options.quit();
        return { body: "OK\n" };
      },
    },
  };
}
