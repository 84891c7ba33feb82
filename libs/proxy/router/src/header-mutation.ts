import type { HeaderMap } from "@fairlead/proxy-stream";

export interface HeaderMutations {
  readonly request?: HeaderMutation;
  readonly response?: HeaderMutation;
}

export interface HeaderMutation {
  /** Names in lower case. */
  readonly remove: readonly string[];
  readonly add: readonly HeaderAddition[];
}

export interface HeaderAddition {
  readonly name: string;
  /** Text, or what is known of a stream only when it runs. */
  readonly value: string | HeaderTemplate;
  readonly action: "append" | "addIfAbsent" | "overwrite" | "overwriteIfExists";
  /** Adds it also when its value comes out empty. @default false */
  readonly keepEmpty?: boolean;
}

/** Text with command operators (`%NAME(argument)%`). `Stream` is what they ask: the router does not know it. */
export interface HeaderTemplate {
  readonly render: (stream: unknown) => string;
}

/**
 * Removes, then adds: as Envoy does within one level.
 *
 * @param stream for values with command operators
 */
export function applyMutation(mutation: HeaderMutation, headers: HeaderMap, stream: unknown): void {
  for (const name of mutation.remove) headers.remove(name);
  for (const addition of mutation.add) add(addition, headers, stream);
}

function add(addition: HeaderAddition, headers: HeaderMap, stream: unknown): void {
  const { name, action } = addition;
  const value = typeof addition.value === "string" ? addition.value : addition.value.render(stream);
  if (value === "" && addition.keepEmpty !== true) return;
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
