import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/**
 * Gives back what the start of a thread has left: V8 keeps a young generation as large as the start needed it and functions that ran once,
 * and collects the old one only when it has grown a good deal more (docs/where-the-time-goes.md has numbers). It takes 0.1 s or more: to be
 * called before there is work to do.
 */
export function collectStartGarbage(): void {
  // The flag is the process's: another thread may take it away in between.
  for (let tries = 0; tries < 3; tries++) {
    const collect = collector();
    if (typeof collect !== "function") continue;
    collect({ type: "major", flavor: "last-resort" });
    return;
  }
}

/** Node has no door to it without a flag; the flag is for what is compiled while it is set. */
function collector(): unknown {
  setFlagsFromString("--expose-gc");
  try {
    return runInNewContext("globalThis.gc");
  } finally {
    setFlagsFromString("--no-expose-gc");
  }
}
