import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

/**
 * Imports a module that registers stream filters. Names of packages are looked for from the working directory, where whoever runs the
 * sidecar has installed them.
 *
 * @param name of a package, or a path that begins with `.` or `/`. Rejects when it cannot be imported.
 */
export async function importFilter(name: string): Promise<void> {
  const isPath = name.startsWith(".") || name.startsWith("/");
  const path = isPath ? resolve(name) : createRequire(join(process.cwd(), "package.json")).resolve(name);
  await import(pathToFileURL(path).href);
}
