/** As V8 writes it, as far as it is read here. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
    readonly children?: readonly number[];
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** A function on the stack of those above it. */
export interface Frame {
  readonly name: string;
  readonly origin: "ours" | "node" | "system" | "gc" | "others";
  /** Microseconds, with all below it. */
  total: number;
  self: number;
  readonly children: Map<string, Frame>;
}

/** Waiting, and what the profiler itself does. */
const left = new Set(["(idle)", "post"]);
const systemCalls = new Set(["writeBuffer", "writeLatin1String", "writev", "readStart", "readStop", "shutdown"]);

function originOf(name: string, url: string): Frame["origin"] {
  if (name === "(garbage collector)") return "gc";
  if (url === "") return systemCalls.has(name) ? "system" : "node";
  if (url.startsWith("node:")) return "node";
  return url.includes("/node_modules/") && !url.includes("/node_modules/@fairlead/") ? "others" : "ours";
}

function placeOf(name: string, url: string): string {
  const file = /\/(?:libs|apps)\/(.*)$/.exec(url)?.[1] ?? url;
  return `${name === "" ? "(anonymous)" : name}${file === "" ? "" : ` ${file}`}`;
}

/** The stacks of a profile as one tree, without idle time. Calls of a function by itself in place are one frame. */
export function frameTree(profile: CpuProfile): Frame {
  const root: Frame = { name: "all", origin: "node", total: 0, self: 0, children: new Map() };
  const parents = new Map<number, number>();
  const byId = new Map(profile.nodes.map((node) => [node.id, node]));
  for (const node of profile.nodes) for (const child of node.children ?? []) parents.set(child, node.id);
  for (const [i, id] of profile.samples.entries()) {
    const { functionName } = byId.get(id)!.callFrame;
    if (left.has(functionName)) continue;
    const stack: number[] = [];
    for (let at: number | undefined = id; at !== undefined; at = parents.get(at)) stack.push(at);
    // The last one is V8's own root.
    stack.pop();
    add(
      root,
      stack.toReversed().map((at) => byId.get(at)!.callFrame),
      profile.timeDeltas[i] ?? 0,
    );
  }
  return root;
}

function add(root: Frame, stack: readonly CpuProfile["nodes"][number]["callFrame"][], us: number): void {
  let frame = root;
  frame.total += us;
  for (const { functionName, url } of stack) {
    const name = placeOf(functionName, url);
    let child = frame.children.get(name);
    if (child === undefined) {
      child = { name, origin: originOf(functionName, url), total: 0, self: 0, children: new Map() };
      frame.children.set(name, child);
    }
    child.total += us;
    frame = child;
  }
  frame.self += us;
}
