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
import { bridgedRegistries } from "./bridge/bridged-registry.ts";
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
  refusalGrace: durationMs()
    .prefault("2s")
    .describe(
      "A request that waits for convergence is answered when nothing but refusals of proxies (NACKs) has been missing for this long.",
    ),
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
  bridges: bridgedRegistries.describe(
    "Registries in ZooKeeper or Nacos that the mesh reads and writes: name=zookeeper://user:password@host:port,host:port?root=dubbo&services=services&interfaces=org.x.*&export=true, name=nacos://host:port?namespace=public&group=DEFAULT_GROUP&username=mesh&passwordFile=/path&services=dubbo, with spaces between several. One replica owns each.",
  ),
  meshName: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, "1 to 63 of a-z 0-9 -")
    .default("fairlead")
    .describe("Marks what this mesh writes into bridged registries. Meshes on one registry need names of their own."),
  bridgeRemovalDelay: durationMs()
    .prefault("3s")
    .describe("A provider that a bridged registry says is gone is removed after this time, unless it comes back."),
  bridgeLossHold: durationMs()
    .prefault("2m")
    .describe(
      "Providers are kept this long when a bridged registry comes back without more than half of them: then the registry has lost them.",
    ),
  bridgeRetireDelay: durationMs()
    .prefault("30s")
    .describe(
      "What was read from a registry is removed when no replica has had it in its bridges for this long. Longer than a restart of all replicas.",
    ),
  bridgeSessionTimeout: atLeast(1000, "at least 1s")
    .prefault("15s")
    .describe("ZooKeeper session: an outage is noticed within two thirds of it, exports end with it."),
  previewTimeout: atLeast(1000, "at least 1s")
    .prefault("30s")
    .describe("Time that a dry run of policies may take. It compiles the whole mesh, in a thread of its own."),
  previewMemoryMb: count(64, 65_536)
    .default(1024)
    .describe("Heap of the thread for dry runs, in MiB; its buffers, beside the heap, may take as much again."),
  maxWaitingPreviews: count(0, 1000)
    .default(8)
    .describe("Dry runs that wait for their turn, as one runs at a time; more get FL_OVERLOADED."),
  ...httpLimitFields(20_000),
  logLevel: logLevel(),
});
export type RegistrySyncConfig = ReturnType<typeof registrySyncConfig.load>;

/** What only the process of its own needs: in `fairlead up` bus and store are given. */
export const registrySyncProcessConfig = storeProcessConfig("registry-sync");
