import { extname } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * The path of a script beside a module of ours, written without its extension: `.ts` in the checkout, `.js` where compiled.
 *
 * @param from `import.meta.url` of the module
 */
export function siblingScript(from: string, script: string): string {
  const path = fileURLToPath(new URL(script, from));
  return path + extname(fileURLToPath(from));
}
