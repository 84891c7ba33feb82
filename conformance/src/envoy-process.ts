import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "@fairlead/testing-basics";
import { z } from "zod";

export interface EnvoyOptions {
  readonly binary: string;
  readonly nodeId: string;
  readonly app: string;
  /** Where the gateway listens on loopback. */
  readonly adsPort: number;
  /** How it speaks ADS. */
  readonly variant: "sotw" | "delta";
}

const statsAnswer = z.object({
  stats: z.array(z.object({ name: z.string().optional(), value: z.union([z.number(), z.string()]).optional() })),
});

/** An Envoy whose listeners and clusters come from ADS. */
export class EnvoyProcess {
  readonly #options: EnvoyOptions;
  #child: ChildProcess | undefined;
  #folder = "";
  #adminUrl = "";
  #output = "";

  constructor(options: EnvoyOptions) {
    this.#options = options;
  }

  /** The end of what it logged. */
  get output(): string {
    return this.#output;
  }

  async start(): Promise<void> {
    this.#folder = await mkdtemp(join(tmpdir(), "fairlead-envoy-"));
    const config = join(this.#folder, "bootstrap.json");
    const adminPath = join(this.#folder, "admin");
    await writeFile(config, JSON.stringify(bootstrap(this.#options), undefined, 2));
    const child = spawn(
      this.#options.binary,
      // prettier-ignore
      [
        "-c", config, "--concurrency", "1", "--drain-time-s", "1", "--disable-hot-restart", "--log-level", "warning",
        "--admin-address-path", adminPath, "--reject-unknown-dynamic-fields",
      ],
      { stdio: ["ignore", "ignore", "pipe"] },
    );
    child.stderr?.on("data", (bytes: Buffer) => (this.#output = (this.#output + bytes.toString()).slice(-20_000)));
    this.#child = child;
    await until("Envoy's admin address", async () => {
      if (child.exitCode !== null) throw new Error(`Envoy ended with ${child.exitCode}: ${this.#output}`);
      this.#adminUrl = `http://${await readFile(adminPath, "utf8").catch(() => "")}`;
      return this.#adminUrl !== "http://";
    });
  }

  async admin(path: string): Promise<string> {
    const response = await fetch(`${this.#adminUrl}${path}`);
    return await response.text();
  }

  async ready(): Promise<boolean> {
    return (await this.admin("/ready")).startsWith("LIVE");
  }

  /** Statistics whose names match, by name. */
  async stats(pattern: string): Promise<Map<string, number | string>> {
    const { stats } = statsAnswer.parse(
      JSON.parse(await this.admin(`/stats?format=json&filter=${encodeURIComponent(pattern)}`)),
    );
    // Histograms have no name of their own.
    return new Map(
      stats.flatMap(({ name, value }) => (name === undefined || value === undefined ? [] : [[name, value] as const])),
    );
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (child !== undefined && child.exitCode === null) {
      const exited = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGTERM");
      const killer = setTimeout(() => child.kill("SIGKILL"), 5000);
      await exited;
      clearTimeout(killer);
    }
    if (this.#folder !== "") await rm(this.#folder, { recursive: true, force: true });
  }
}

function bootstrap({ nodeId, app, adsPort, variant }: EnvoyOptions): object {
  const adsSource = { ads: {}, resource_api_version: "V3", initial_fetch_timeout: "2s" };
  return {
    node: { id: nodeId, cluster: app },
    admin: { address: { socket_address: { address: "127.0.0.1", port_value: 0 } } },
    dynamic_resources: {
      ads_config: {
        api_type: variant === "sotw" ? "GRPC" : "DELTA_GRPC",
        transport_api_version: "V3",
        set_node_on_first_message_only: true,
        grpc_services: [{ envoy_grpc: { cluster_name: "ads-gateway" } }],
      },
      lds_config: adsSource,
      cds_config: adsSource,
    },
    static_resources: {
      clusters: [
        {
          name: "ads-gateway",
          type: "STATIC",
          connect_timeout: "1s",
          typed_extension_protocol_options: {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
              "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
              explicit_http_config: { http2_protocol_options: {} },
            },
          },
          load_assignment: {
            cluster_name: "ads-gateway",
            endpoints: [
              {
                lb_endpoints: [
                  { endpoint: { address: { socket_address: { address: "127.0.0.1", port_value: adsPort } } } },
                ],
              },
            ],
          },
        },
      ],
    },
  };
}
