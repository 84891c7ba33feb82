import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { CannotRun } from "../envoy-binary.ts";

const run = promisify(execFile);

const npmPackages = ["sofa-rpc-node@2.10.0", "dubbo-remoting@2.1.4"];

const central = "https://repo1.maven.org/maven2";
const netty = "4.1.119.Final";
const nettyModules = [
  "buffer", "codec", "codec-http", "codec-http2", "codec-socks", "common", "handler", "handler-proxy", "resolver", "transport",
  "transport-classes-epoll", "transport-native-unix-common",
]; // prettier-ignore
/** Dubbo, and of what it needs as much as its dubbo protocol and its registry in ZooKeeper use. */
const jars = [
  "org/apache/dubbo/dubbo/3.3.6/dubbo-3.3.6.jar",
  "org/javassist/javassist/3.30.2-GA/javassist-3.30.2-GA.jar",
  "org/apache/dubbo/hessian-lite/4.0.4/hessian-lite-4.0.4.jar",
  "com/alibaba/fastjson2/fastjson2/2.0.57/fastjson2-2.0.57.jar",
  "org/yaml/snakeyaml/2.4/snakeyaml-2.4.jar",
  "com/google/code/gson/gson/2.13.1/gson-2.13.1.jar",
  "com/google/protobuf/protobuf-java/3.25.5/protobuf-java-3.25.5.jar",
  ...["client", "framework", "recipes", "x-discovery"].map(
    (name) => `org/apache/curator/curator-${name}/5.1.0/curator-${name}-5.1.0.jar`,
  ),
  ...["zookeeper", "zookeeper-jute"].map((name) => `org/apache/zookeeper/${name}/3.8.4/${name}-3.8.4.jar`),
  ...["databind", "core", "annotations"].map(
    (name) => `com/fasterxml/jackson/core/jackson-${name}/2.17.2/jackson-${name}-2.17.2.jar`,
  ),
  ...["slf4j-api", "slf4j-nop"].map((name) => `org/slf4j/${name}/1.7.36/${name}-1.7.36.jar`),
  // Nacos' client, and of what it needs as much as naming and configuration use.
  ...["nacos-client", "nacos-auth-plugin", "nacos-encryption-plugin", "nacos-logback-adapter-12"].map(
    (name) => `com/alibaba/nacos/${name}/2.4.3/${name}-2.4.3.jar`,
  ),
  "io/prometheus/simpleclient/0.15.0/simpleclient-0.15.0.jar",
  ...["tracer_common", "tracer_otel", "tracer_otel_agent"].map(
    (name) => `io/prometheus/simpleclient_${name}/0.15.0/simpleclient_${name}-0.15.0.jar`,
  ),
  "io/micrometer/micrometer-core/1.9.17/micrometer-core-1.9.17.jar",
  "org/apache/httpcomponents/httpasyncclient/4.1.5/httpasyncclient-4.1.5.jar",
  "org/apache/httpcomponents/httpclient/4.5.13/httpclient-4.5.13.jar",
  "org/apache/httpcomponents/httpcore/4.4.16/httpcore-4.4.16.jar",
  "org/apache/httpcomponents/httpcore-nio/4.4.15/httpcore-nio-4.4.15.jar",
  "commons-codec/commons-codec/1.15/commons-codec-1.15.jar",
  "commons-logging/commons-logging/1.2/commons-logging-1.2.jar",
  ...nettyModules.map((name) => `io/netty/netty-${name}/${netty}/netty-${name}-${netty}.jar`),
];

/** A folder under the system's temporary one that is made once; a half-made one is made again. */
async function prepared(
  name: string,
  what: readonly string[],
  make: (folder: string) => Promise<void>,
): Promise<string> {
  const hash = createHash("sha256").update(what.join("\n")).digest("hex").slice(0, 12);
  const folder = join(tmpdir(), `fairlead-conformance-${name}-${hash}`);
  if (existsSync(folder)) return folder;
  process.stdout.write(`preparing ${name} in ${folder}\n`);
  const fresh = `${folder}.new`;
  await rm(fresh, { recursive: true, force: true });
  await mkdir(fresh, { recursive: true });
  await make(fresh);
  await rename(fresh, folder);
  return folder;
}

/** sofa-rpc-node and dubbo-remoting. @returns their folder @throws CannotRun */
export async function nodePeers(): Promise<string> {
  return await prepared("rpc-node-peers", npmPackages, async (folder) => {
    await writeFile(join(folder, "package.json"), '{"private":true}\n');
    try {
      const options = ["install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", ...npmPackages];
      await run("npm", options, { cwd: folder });
    } catch (cause) {
      throw new CannotRun(`${npmPackages.join(" and ")} cannot be installed; is the npm registry reachable?`, {
        cause,
      });
    }
  });
}

/** A provider and a consumer of Dubbo. @returns their class path @throws CannotRun */
export async function javaPeers(): Promise<string> {
  const sources = ["Greeter", "Provider", "Consumer", "RegistryProvider", "RegistryConsumer"].map((name) =>
    join(import.meta.dirname, "java", `${name}.java`),
  );
  const texts = await Promise.all(sources.map((file) => readFile(file, "utf8")));
  const folder = await prepared("dubbo-java", [...jars, ...texts], async (fresh) => {
    await run("javac", ["-version"]).catch((cause: unknown) => {
      throw new CannotRun("javac is needed (Debian: apt-get install openjdk-17-jdk-headless)", { cause });
    });
    await Promise.all(jars.map((path) => download(`${central}/${path}`, join(fresh, basename(path)))));
    await run("javac", ["-cp", join(fresh, "*"), "-d", join(fresh, "classes"), ...sources]);
  });
  return `${join(folder, "classes")}:${join(folder, "*")}`;
}

async function download(url: string, file: string): Promise<void> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(120_000) });
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    await writeFile(file, new Uint8Array(await answer.arrayBuffer()));
  } catch (cause) {
    throw new CannotRun(`${url} cannot be fetched; is Maven Central reachable?`, { cause });
  }
}
