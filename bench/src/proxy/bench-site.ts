import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Running } from "../running.ts";
import type { Contender, ContenderInput } from "./contenders/contender.ts";
import { http1Client } from "./load/http1-client.ts";
import { http2Client } from "./load/http2-client.ts";
import type { ConnectClient } from "./load/load-client.ts";
import { type ProxyCase, serviceName } from "./proxy-case.ts";

const backends = join(import.meta.dirname, "backends");

/** The backends of one case, and proxies in front of them. */
export class BenchSite implements AsyncDisposable {
  readonly #what: ProxyCase;
  readonly #http1: Running;
  readonly #http2: Running | undefined;
  readonly #folder: string;
  readonly #certificate: ContenderInput["certificate"];
  readonly proxies = new Map<string, Running>();

  private constructor(what: ProxyCase, http1: Running, http2: Running | undefined, folder: string) {
    this.#what = what;
    this.#http1 = http1;
    this.#http2 = http2;
    this.#folder = folder;
    this.#certificate = { chain: join(folder, "chain.pem"), key: join(folder, "key.pem") };
  }

  static async start(what: ProxyCase): Promise<BenchSite> {
    const { client, bodyBytes } = what;
    const run = (script: string, ...more: readonly string[]) =>
      Running.start((port) => [process.execPath, join(backends, script), String(port), String(bodyBytes), ...more]);
    const http1 = await run("http1-backend.ts");
    const http2 = client === "http1" ? undefined : await run("http2-backend.ts", client);
    const site = new BenchSite(what, http1, http2, mkdtempSync(join(tmpdir(), "fairlead-bench-site-")));
    if (what.tls) site.#makeCertificate();
    return site;
  }

  /** Where the proxies send requests. */
  get backendPort(): number {
    return (this.#http2 ?? this.#http1).port;
  }

  async add(
    contender: Contender,
    more: { readonly clusters: number; readonly endpointsOfEach: number },
  ): Promise<void> {
    const proxy = await Running.start(async (port, folder) => {
      const input: ContenderInput = {
        port,
        folder,
        backendPort: this.backendPort,
        http1BackendPort: this.#http1.port,
        certificate: this.#certificate,
        moreClusters: more.clusters,
        endpointsOfEach: more.endpointsOfEach,
      };
      await contender.prepare?.(this.#what, input);
      return contender.command(this.#what, input);
    }, contender.options);
    this.proxies.set(contender.name, proxy);
  }

  /** Of a proxy, or of the backend itself. */
  clientOf(port: number): ConnectClient {
    const { client, tls, bodyBytes, outstanding } = this.#what;
    const authority = serviceName;
    if (client === "http1") return http1Client({ port, authority, bodyBytes, tls: tls && port !== this.backendPort });
    return http2Client({ port, authority, outstanding, grpcBytes: client === "grpc" ? bodyBytes : undefined });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const process of [...this.proxies.values(), this.#http1, this.#http2]) await process?.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #makeCertificate(): void {
    const { chain, key } = this.#certificate;
    execFileSync(
      "openssl",
      ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=bench", "-keyout", key, "-out", chain], // prettier-ignore
      { stdio: "pipe" },
    );
  }
}
