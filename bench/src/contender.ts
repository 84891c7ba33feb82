import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { cpuSeconds, freePort, residentMiB } from "./os-process.ts";

/** A proxy under measurement: one process, one thread. */
export interface Contender {
  readonly name: string;
  /** undefined where the machine does not have it. */
  readonly command: ((port: number, backendPort: number, folder: string) => readonly string[]) | undefined;
}

function installed(command: string): boolean {
  return spawnSync("which", [command], { stdio: "ignore" }).status === 0;
}

const here = import.meta.dirname;

function haproxy(port: number, backendPort: number, folder: string): string[] {
  const file = join(folder, "haproxy.cfg");
  const timeouts = "timeout connect 5s\n timeout client 60s\n timeout server 60s";
  writeFileSync(
    file,
    `global\n nbthread 1\n maxconn 4096\ndefaults\n mode http\n retries 2\n ${timeouts}\n http-reuse always\nfrontend f\n bind 127.0.0.1:${port}\n use_backend b if { hdr(host) -i bench.Service }\nbackend b\n server s 127.0.0.1:${backendPort}\n`,
  );
  return ["haproxy", "-db", "-f", file];
}

function nginx(port: number, backendPort: number, folder: string): string[] {
  const file = join(folder, "nginx.conf");
  writeFileSync(
    file,
    `daemon off; master_process off; worker_processes 1; pid ${folder}/nginx.pid; error_log ${folder}/error.log;
events { worker_connections 4096; }
http { access_log off; client_body_temp_path ${folder}/a; proxy_temp_path ${folder}/b; fastcgi_temp_path ${folder}/c; uwsgi_temp_path ${folder}/d; scgi_temp_path ${folder}/e;
 upstream b { server 127.0.0.1:${backendPort}; keepalive 256; }
 keepalive_requests 10000000;
 server { listen 127.0.0.1:${port}; server_name bench.Service; location / { proxy_pass http://b; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host; } } }\n`,
  );
  return ["nginx", "-c", file, "-p", folder];
}

export const contenders: readonly Contender[] = [
  {
    name: "Fairlead",
    command: (port, backend) => [process.execPath, join(here, "proxies/fairlead.ts"), String(port), String(backend)],
  },
  {
    name: "node:http",
    command: (port, backend) => [process.execPath, join(here, "proxies/node-http.ts"), String(port), String(backend)],
  },
  { name: "nginx", command: installed("nginx") ? nginx : undefined },
  { name: "HAProxy", command: installed("haproxy") ? haproxy : undefined },
];

async function listens(port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.on("connect", () => resolve(Boolean(socket.destroy())));
    socket.on("error", () => resolve(false));
  });
}

/** A running process, and what the system has charged to it. */
export class Running {
  readonly port: number;
  readonly #child: ChildProcess;
  readonly #folder: string;

  private constructor(child: ChildProcess, port: number, folder: string) {
    this.#child = child;
    this.port = port;
    this.#folder = folder;
  }

  static async start(command: (port: number, folder: string) => readonly string[]): Promise<Running> {
    const port = await freePort();
    const folder = mkdtempSync(join(tmpdir(), "fairlead-bench-"));
    const [program, ...args] = command(port, folder);
    const child = spawn(program!, args, { stdio: ["ignore", "ignore", "inherit"] });
    const running = new Running(child, port, folder);
    for (let tries = 0; !(await listens(port)); tries += 1) {
      if (tries > 500 || child.exitCode !== null) {
        await running.stop();
        throw new Error(`${program} does not listen on ${port}`);
      }
      await pause(20);
    }
    return running;
  }

  get #pid(): number {
    return this.#child.pid!;
  }

  /** User and system time so far, in seconds. */
  cpuSeconds(): number {
    return cpuSeconds(this.#pid);
  }

  residentMiB(): number {
    return residentMiB(this.#pid);
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const exited = new Promise((resolve) => this.#child.once("exit", resolve));
      this.#child.kill("SIGKILL");
      await exited;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
