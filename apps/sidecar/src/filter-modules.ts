import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

/**
 * Where a module is that registers stream filters: each thread that serves imports it. Names of packages are looked for from the working
 * directory, where whoever runs the sidecar has installed them.
 *
 * @param name of a package, or a path that begins with `.` or `/`
 * @throws when there is no such package
 */
export function filterModuleUrl(name: string): string {
  const isPath = name.startsWith(".") || name.startsWith("/");
  const path = isPath ? resolve(name) : createRequire(join(process.cwd(), "package.json")).resolve(name);
  return pathToFileURL(path).href;
}
