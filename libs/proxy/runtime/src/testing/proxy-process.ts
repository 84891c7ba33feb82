import { type ChildProcess, fork } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

export interface ProxyProcessConfig {
  readonly hostPort: number;
  /** The host speaks HTTP/2. @default false */
  readonly http2Host?: boolean;
  readonly requestHeadersTimeoutMs?: number;
  readonly requestTimeoutMs?: number;
  readonly streamIdleTimeoutMs?: number;
  /** Of connections. */
  readonly idleTimeoutMs?: number;
  /** @default as the runtime */
  readonly maxConnections?: number;
}

export interface ProcessReport {
  readonly stats: Readonly<Record<string, number>>;
  /** Of the event loop, since the last report. */
  readonly delayP99Ms: number;
  readonly delayMaxMs: number;
}

/** A proxy whose memory and event loop are its own: what a test does beside it does not count. */
export class ProxyProcess implements AsyncDisposable {
  readonly port: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  static async start(config: ProxyProcessConfig): Promise<ProxyProcess> {
    const child = fork(join(import.meta.dirname, "proxy-process-main.ts"), { serialization: "advanced" });
    child.send(config);
    const { port } = await answer<{ readonly port: number }>(child);
    return new ProxyProcess(child, port);
  }

  async report(): Promise<ProcessReport> {
    const report = answer<ProcessReport>(this.#child);
    this.#child.send("report");
    return await report;
  }

  async stat(name: string): Promise<number> {
    return (await this.report()).stats[name] ?? 0;
  }

  /** Memory as the system counts it: now, and the most it ever was. */
  memoryMiB(): { readonly now: number; readonly most: number } {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, "utf8");
    const kilobytes = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)?.[1]);
    return { now: kilobytes("VmRSS") / 1024, most: kilobytes("VmHWM") / 1024 };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const gone = new Promise((resolve) => this.#child.once("exit", resolve));
    this.#child.kill();
    await gone;
  }
}

function answer<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null): void => reject(new Error(`the proxy's process has ended with ${code}`));
    child.once("exit", onExit);
    child.once("message", (message) => {
      child.off("exit", onExit);
      resolve(message as T);
    });
  });
}
