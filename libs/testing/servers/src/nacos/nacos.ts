import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { freePort } from "@fairlead/testing-basics";
import { runServer, type ServerControl } from "../server-process.ts";
import { nacosClassPath } from "./prepare.ts";

const startDeadlineMs = 120_000;
const user = "nacos";
const password = "nacos";

/** A Nacos for one test file, with ways to take it away. */
export interface TestNacos extends ServerControl {
  /** 127.0.0.1:<port> of HTTP; gRPC is 1000 above. The same after `restart`. */
  readonly address: string;
  readonly grpcPort: number;
  readonly user: string;
  readonly password: string;
}

async function launch(classPath: string, home: string, port: number): Promise<ChildProcess> {
  const opens = ["java.lang", "java.util", "java.nio", "sun.nio.ch"].map((name) => `--add-opens=java.base/${name}=ALL-UNNAMED`); // prettier-ignore
  const settings = [
    "-Xmx512m", "-XX:TieredStopAtLevel=1", "-Dnacos.standalone=true", `-Dnacos.home=${home}`, "-Dnacos.server.ip=127.0.0.1",
    `-Dspring.config.additional-location=file:${home}/conf/`,
  ]; // prettier-ignore
  const child = spawn("java", [...settings, ...opens, "-cp", classPath, "org.x.nacos.Server"], {
    // Derby and Tomcat write where they are.
    cwd: home,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let log = "";
  for (const output of [child.stdout, child.stderr])
    output.setEncoding("utf8").on("data", (text: string) => (log = `${log}${text}`.slice(-20_000)));
  let failed: Error | undefined;
  child.once("error", (error) => (failed = error));
  const deadline = performance.now() + startDeadlineMs;
  while (!(await takesLogins(port))) {
    if (failed !== undefined || child.exitCode !== null || performance.now() > deadline) {
      child.kill("SIGKILL");
      throw new Error(`Nacos did not start (exit code ${child.exitCode}); its log:\n${log}`, { cause: failed });
    }
    await pause(200);
  }
  return child;
}

/** The last thing that works: users are read some seconds after everything else has started. */
async function takesLogins(port: number): Promise<boolean> {
  const body = new URLSearchParams({ username: user, password });
  const url = `http://127.0.0.1:${port}/nacos/v1/auth/login`;
  const answer = await fetch(url, { method: "POST", body, signal: AbortSignal.timeout(2_000) }).catch(() => undefined);
  const text = await answer?.text();
  return text?.includes("accessToken") ?? false;
}

/** Both ports of a server, which are 1000 apart; 1001 above is for other servers. */
async function freePorts(): Promise<number> {
  for (;;) {
    const port = await freePort();
    if (port < 60_000) return port;
  }
}

/**
 * Starts Nacos with authentication in a temporary folder: some 20 s, and once on a machine the time to fetch it.
 *
 * @throws CannotRun where it cannot be fetched
 */
export async function startTestNacos(): Promise<TestNacos> {
  const classPath = await nacosClassPath();
  const folder = await mkdtemp(join(tmpdir(), "fairlead-test-nacos-"));
  const port = await freePorts();
  const settings = {
    "server.servlet.contextPath": "/nacos",
    "server.port": port,
    "spring.autoconfigure.exclude": "org.springframework.boot.autoconfigure.jdbc.DataSourceAutoConfiguration",
    "nacos.core.auth.enabled": true,
    "nacos.core.auth.system.type": "nacos",
    "nacos.core.auth.server.identity.key": "test",
    "nacos.core.auth.server.identity.value": "test",
    "nacos.core.auth.plugin.nacos.token.secret.key": Buffer.alloc(48, "test").toString("base64"),
  };
  await mkdir(join(folder, "conf"));
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`);
  await writeFile(join(folder, "conf/application.properties"), lines.join(""));
  const control = await runServer(() => launch(classPath, folder, port), { folder, data: join(folder, "data") });
  return { address: `127.0.0.1:${port}`, grpcPort: port + 1_000, user, password, ...control };
}
