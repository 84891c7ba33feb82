import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TestProxy } from "@fairlead/proxy-runtime/testing/proxy";
import { listener, routes, staticCluster, toCluster } from "@fairlead/proxy-runtime/testing/resources";
import { freePort, until } from "@fairlead/testing-basics";

/** A proxy in front of one host, whoever made it. */
export interface PeerProxy extends AsyncDisposable {
  readonly name: string;
  readonly port: number;
}

export async function fairlead(hostPort: number): Promise<PeerProxy> {
  const proxy = await TestProxy.start({
    clusters: [staticCluster("a", [hostPort])],
    listeners: [listener("in", 0, { generateRequestId: false })],
    routes: [routes("in", toCluster("*", "a"))],
  });
  return { name: "Fairlead", port: proxy.port("in"), [Symbol.asyncDispose]: () => proxy[Symbol.asyncDispose]() };
}

const haproxyPath = "/usr/sbin/haproxy";
const nginxPath = "/usr/sbin/nginx";

function haproxyConfig(port: number, hostPort: number): string {
  return `
global
  nbthread 1
defaults
  mode http
  timeout connect 2s
  timeout client 2s
  timeout server 2s
frontend in
  bind 127.0.0.1:${port}
  default_backend a
backend a
  server a 127.0.0.1:${hostPort}
`;
}

function nginxConfig(port: number, hostPort: number, folder: string): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((what) => `  ${what}_temp_path ${join(folder, what)};`)
    .join("\n");
  return `
daemon off;
worker_processes 1;
pid ${join(folder, "pid")};
error_log /dev/null;
events { worker_connections 64; }
http {
${temporary}
  access_log off;
  client_header_timeout 2s;
  client_body_timeout 2s;
  keepalive_timeout 2s;
  upstream a { server 127.0.0.1:${hostPort}; keepalive 4; }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://a;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_read_timeout 2s;
    }
  }
}
`;
}

/** Debian's HAProxy and nginx; those that are not installed are left out. */
export async function installedPeers(hostPort: number): Promise<PeerProxy[]> {
  const peers: PeerProxy[] = [];
  if (existsSync(haproxyPath)) {
    peers.push(
      await start("HAProxy", (port, folder) => {
        const file = join(folder, "haproxy.cfg");
        writeFileSync(file, haproxyConfig(port, hostPort));
        return [haproxyPath, "-db", "-f", file];
      }),
    );
  }
  if (existsSync(nginxPath)) {
    peers.push(
      await start("nginx", (port, folder) => {
        const file = join(folder, "nginx.conf");
        writeFileSync(file, nginxConfig(port, hostPort, folder));
        return [nginxPath, "-p", folder, "-c", file];
      }),
    );
  }
  return peers;
}

async function start(
  name: string,
  command: (port: number, folder: string) => readonly [string, ...string[]],
): Promise<PeerProxy> {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-peer-"));
  const port = await freePort();
  const [binary, ...args] = command(port, folder);
  const child = spawn(binary, args, { stdio: "ignore" });
  await until(`${name} listens`, () => listens(port));
  return {
    name,
    port,
    async [Symbol.asyncDispose]() {
      await stop(child);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.on("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const closed = new Promise((resolve) => child.once("close", resolve));
  child.kill();
  await closed;
}
