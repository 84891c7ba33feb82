/** The thread that ends a process of which another thread is stuck. */
import { writeSync } from "node:fs";
import { Session } from "node:inspector";
import { workerData } from "node:worker_threads";
import { LOOK_MS, type LongSilence, LongSilences } from "./long-silence.ts";
import type { GuardStart } from "./process-guard.ts";
import { ThreadBeats } from "./thread-beats.ts";

const { beats, killMs, nodeId } = workerData as GuardStart;
const silences = new LongSilences(new ThreadBeats(beats), killMs);
const timer = setInterval(() => {
  const silence = silences.look();
  if (silence === undefined) return;
  clearInterval(timer);
  say(silence);
  process.kill(process.pid, "SIGABRT");
  // The first process of a container gets no signal that it has no handler for (pid_namespaces(7)).
  const session = new Session();
  session.connectToMainThread();
  session.post("Runtime.evaluate", { expression: "process.abort()" });
}, LOOK_MS);

/** The logger is in another thread, which may be the one. */
function say({ thread, silentMs }: LongSilence): void {
  const line = {
    level: "fatal",
    time: new Date().toISOString(),
    code: "FL_THREAD_STUCK",
    node: nodeId,
    thread: thread === 0 ? "main thread" : `worker ${thread - 1}`,
    silent_ms: silentMs,
    msg: "a thread is stuck; the process ends, so that it is started again",
  };
  try {
    writeSync(1, `${JSON.stringify(line)}\n`);
  } catch {
    // Nobody reads it.
  }
}
