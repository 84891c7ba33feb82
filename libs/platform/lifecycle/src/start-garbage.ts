import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/**
 * Gives back what the start of a process has left: V8 keeps a young generation as large as the start needed it and functions that ran once,
 * and collects the old one only when it has grown a good deal more (docs/where-the-time-goes.md has numbers). It takes 0.1 s or more: to be
 * called before there is work to do.
 */
export function collectStartGarbage(): void {
  // Node has no door to it without a flag; the flag is for what is compiled while it is set.
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  setFlagsFromString("--no-expose-gc");
  if (typeof collect === "function") collect({ type: "major", flavor: "last-resort" });
}
