import type { HeaderMap } from "@fairlead/proxy-stream";
import type { HeaderMutation } from "./route-spec.ts";

/** Removes, then adds: as Envoy does within one level. */
export function applyMutation(mutation: HeaderMutation, headers: HeaderMap): void {
  for (const name of mutation.remove) headers.remove(name);
  for (const { name, value, action } of mutation.add) {
    switch (action) {
      case "append":
        headers.add(name, value);
        break;
      case "overwrite":
        headers.set(name, value);
        break;
      case "addIfAbsent":
        if (!headers.has(name)) headers.add(name, value);
        break;
      default:
        if (headers.has(name)) headers.set(name, value);
    }
  }
}
