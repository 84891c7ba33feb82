import {
  bindAddress,
  defineConfig,
  durationMs,
  httpLimitFields,
  logLevel,
  port,
  storeProcessConfig,
} from "@fairlead/config";
import { z } from "zod";
import { isHostRule } from "./gateway-hosts.ts";

const count = (min: number, max: number) => z.coerce.number().int().min(min).max(max);
const atLeast = (ms: number, words: string) => durationMs().pipe(z.number().min(ms, words));

export const registrySyncConfig = defineConfig("registry-sync", {
  bind: bindAddress().describe(
    "Address that the HTTP API listens on. It is not authenticated: keep it on loopback or a private network.",
  ),
  httpPort: port().default(13300).describe("Port of the HTTP API. 0 = a free one."),
  leaseTtl: atLeast(1000, "at least 1s")
    .prefault("30s")
    .describe("A node that does not renew its lease for this long is removed. Sidecars need the same setting."),
  serviceRetention: durationMs()
    .prefault("1h")
    .describe("A service that nothing publishes or subscribes to is removed after this time."),
  maxWaiters: count(1, 1_000_000)
    .default(10_000)
    .describe("Requests that wait for convergence at the same time; more get FL_OVERLOADED."),
  maxInstancesPerNode: count(1, 100_000).default(1000).describe("Publications of one node."),
  maxSubscriptionsPerNode: count(1, 100_000).default(1000).describe("Subscriptions of one node."),
  maxPolicyBytes: count(1024, 256 * 1024 * 1024)
    .default(4 * 1024 * 1024)
    .describe("Body of one PUT of policies. Other bodies may have 1 MiB."),
  gatewayHosts: z
    .string()
    .default("")
    .transform((text) => text.split(",").flatMap((rule) => (rule.trim() === "" ? [] : [rule.trim()])))
    .refine(
      (rules) => rules.every(isHostRule),
      "expected addresses, networks such as 10.0.0.0/8, or host names, with commas",
    )
    .describe(
      "Where ads-gateways may be asked for their proxies: addresses, networks such as 10.0.0.0/8, names. A gateway's own host and this one always may.",
    ),
  previewTimeout: atLeast(1000, "at least 1s")
    .prefault("30s")
    .describe("Time that a dry run of policies may take. It compiles the whole mesh, in a thread of its own."),
  previewMemoryMb: count(64, 65_536).default(1024).describe("Heap of the thread for dry runs, in MiB."),
  maxWaitingPreviews: count(0, 1000)
    .default(8)
    .describe("Dry runs that wait for their turn, as one runs at a time; more get FL_OVERLOADED."),
  ...httpLimitFields(20_000),
  logLevel: logLevel(),
});
export type RegistrySyncConfig = ReturnType<typeof registrySyncConfig.load>;

/** What only the process of its own needs: in `fairlead up` bus and store are given. */
export const registrySyncProcessConfig = storeProcessConfig("registry-sync");
