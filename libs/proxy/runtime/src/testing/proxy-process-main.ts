/** A proxy in a process of its own: told over IPC what to serve, asked over IPC how it is. See proxy-process.ts. */
import { monitorEventLoopDelay } from "node:perf_hooks";
import { http2Cluster } from "./http2-cluster.ts";
import { TestProxy } from "./proxy.ts";
import type { ProcessReport, ProxyProcessConfig } from "./proxy-process.ts";
import { duration, listener, routes, staticCluster, toCluster } from "./resources.ts";

function millis(ms: number | undefined): { readonly value?: ReturnType<typeof duration> } {
  return ms === undefined ? {} : { value: duration(ms) };
}

async function start(config: ProxyProcessConfig): Promise<void> {
  const toHost =
    config.http2Host === true ? http2Cluster("a", [config.hostPort]) : staticCluster("a", [config.hostPort]);
  const headers = millis(config.requestHeadersTimeoutMs).value;
  const request = millis(config.requestTimeoutMs).value;
  const streamIdle = millis(config.streamIdleTimeoutMs).value;
  const idle = millis(config.idleTimeoutMs).value;
  const world = {
    clusters: [toHost],
    listeners: [
      listener("in", 0, {
        ...(headers === undefined ? {} : { requestHeadersTimeout: headers }),
        ...(request === undefined ? {} : { requestTimeout: request }),
        ...(streamIdle === undefined ? {} : { streamIdleTimeout: streamIdle }),
        ...(idle === undefined ? {} : { commonHttpProtocolOptions: { idleTimeout: idle } }),
      }),
    ],
    // A transfer of a gigabyte takes longer than the 15 s of a route that says nothing.
    routes: [routes("in", toCluster("*", "a", { timeout: duration(0) }))],
  };
  const { maxConnections } = config;
  const proxy = await TestProxy.start(world, maxConnections === undefined ? {} : { maxConnections });
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  process.on("message", () => {
    const report: ProcessReport = {
      stats: Object.fromEntries(proxy.runtime.stats()),
      delayP99Ms: delay.percentile(99) / 1e6,
      delayMaxMs: delay.max / 1e6,
    };
    delay.reset();
    process.send?.(report);
  });
  process.send?.({ port: proxy.port("in") });
}

process.once("message", (config: ProxyProcessConfig) => void start(config));
process.on("disconnect", () => process.exit());
