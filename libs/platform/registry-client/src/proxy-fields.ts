import { durationMs } from "@fairlead/config";
import { nodeSchema } from "@fairlead/registration";
import { z } from "zod";

const separated = (text: string): string[] =>
  text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");

const urls = z
  .string()
  .transform(separated)
  .pipe(
    z
      .array(z.url({ protocol: /^https?$/, error: "expected http:// or https:// URLs, separated by commas" }))
      .min(1)
      .max(16),
  );

const hostAndPort = z
  .string()
  .transform(separated)
  .pipe(
    z
      .array(
        z.string().regex(/^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+):\d{1,5}$/, "expected host:port, separated by commas"),
      )
      .min(1)
      .max(16),
  );

const labels = z
  .string()
  .transform((text, context) => {
    const entries = separated(text).map((pair) => pair.split("="));
    if (entries.some((entry) => entry.length !== 2)) {
      context.addIssue("expected name=value, separated by commas");
      return z.NEVER;
    }
    return Object.fromEntries(entries.map(([name, value]) => [name ?? "", value ?? ""]));
  })
  .pipe(nodeSchema.shape.labels.unwrap());

/** 1 = stdout, 2 = stderr, a path, or nowhere. */
const accessLog = z
  .string()
  .regex(/^(off|stdout|stderr|file:.+)$/, "expected off, stdout, stderr or file:<path>")
  .transform((text): string | 1 | 2 | undefined => {
    if (text === "off") return undefined;
    if (text === "stdout") return 1;
    return text === "stderr" ? 2 : text.slice("file:".length);
  });

const MAX_WORKERS = 64;

/** The settings that all of our proxies have. */
export const proxyFields = {
  registryUrl: () =>
    urls.prefault("http://127.0.0.1:13300").describe("URLs of registry-sync, separated by commas; tried in turn."),
  adsAddress: () =>
    hostAndPort
      .prefault("127.0.0.1:15010")
      .describe("host:port of the ads-gateways, separated by commas; tried in turn."),
  labels: (fallback: string) =>
    labels.prefault(fallback).describe("Labels of the node: name=value, separated by commas."),
  accessLog: (fallback: "off" | "stdout") =>
    accessLog
      .prefault(fallback)
      .describe(
        "A line for each request, in Envoy's default format: stdout, stderr, file:<path> (opened again on SIGUSR1) or off. Access logs that the configuration names are written besides.",
      ),
};

/**
 * How a proxy runs: the settings of threads, overload, place and hot restart.
 *
 * @param overloadActions the default @param parse throws for what it does not take
 */
export const runFields = <Triggers>(overloadActions: string, parse: (text: string) => Triggers) => ({
  concurrency: z
    .union([z.literal("auto"), z.coerce.number().int().min(1).max(MAX_WORKERS)], {
      error: `expected auto, or a number of threads from 1 to ${MAX_WORKERS}`,
    })
    .default(1)
    .describe(
      "Threads that serve calls. 1: everything is done in one; auto: one for each core that the process may use. With more than one, another thread has the configuration, the admin pages and the health checks, and each thread that serves takes about 30 MiB.",
    ),
  watchdogKillTimeout: durationMs()
    .optional()
    .describe(
      "How long a thread may be stuck before the process aborts, so that what runs it starts it again; the last line of its log names the thread. A large configuration may take a thread some seconds. Without it, what is stuck is named in /ready, /stats and the log only.",
    ),
  overloadActions: z
    .string()
    .transform((text, context) => {
      try {
        return parse(text);
      } catch (error) {
        context.addIssue(error instanceof Error ? error.message : String(error));
        return z.NEVER;
      }
    })
    .prefault(overloadActions)
    .describe(
      "What is done when memory, V8's heap, an event loop, connections or file descriptors run short: <action>=<resource>:<share of its limit>, separated by blanks. A resource without a limit is never short; off = nothing is done. The actions are Envoy's.",
    ),
  overloadMemoryBytes: z.coerce
    .number()
    .int()
    .min(1)
    .optional()
    .describe("Resident memory at which the proxy is full. Without it: the limit of its cgroup, if that has one."),
  overloadEventLoopDelay: durationMs()
    .optional()
    .describe(
      "How late a thread may be before requests are refused. Without it that is not watched; /stats tells how late threads are.",
    ),
  overloadConnections: z.coerce
    .number()
    .int()
    .min(1)
    .optional()
    .describe("Connections of clients at which new ones wait. Without it only each listener's limit counts."),
  locality: z
    .string()
    .regex(/^[^/]+(\/[^/]+){0,2}$/, { error: "a locality is region, region/zone or region/zone/subzone" })
    .transform((text) => [...text.split("/"), "", ""].slice(0, 3).join("/"))
    .optional()
    .describe(
      "Where the proxy is: region/zone/subzone, the last one or two may be left out. For clusters of other control planes with zone_aware_lb_config; together with FAIRLEAD_LOCAL_CLUSTER.",
    ),
  localCluster: z
    .string()
    .min(1)
    .optional()
    .describe(
      "The cluster whose hosts are the instances that call as this one does (Envoy's local_cluster_name). With FAIRLEAD_LOCALITY, requests to clusters with zone_aware_lb_config stay in the zone as far as its hosts suffice; without both they go to all zones.",
    ),
  unknownXdsFields: z
    .enum(["refuse", "ignore"])
    .default("refuse")
    .describe(
      "What is done with a field of the configuration that is newer than the proxy: refuse = its resource is refused (NACK) and the last good version stays; ignore = it is left aside, as Envoy does, counted in server.dynamic_unknown_fields and logged once. A field that is left aside may let more through than was meant.",
    ),
  hotRestart: z
    .stringbool()
    .prefault("false")
    .describe(
      "Whether the program runs as two processes, of which one holds the listening sockets: SIGHUP then replaces the one that serves, from the code on disk, without a refused or cut request, and a crash is one that callers wait for. It costs a second process, with about 50 MiB that it does not share.",
    ),
  hotRestartTimeout: durationMs()
    .prefault("90s")
    .describe(
      "How long the new process of a hot restart may take until it is ready. Then it is ended, and the one before it goes on.",
    ),
});
