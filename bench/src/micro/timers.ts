/** What time-outs of connections and streams cost: `node bench/src/micro/timers.ts`. */
import { readCommandLine } from "@fairlead/lifecycle";
import { ExactTimer, type Expiring, TimerWheel } from "@fairlead/timer-wheel";
import { cpuNsOf, report } from "./measure.ts";

readCommandLine({ usage: "node bench/src/micro/timers.ts\nWhat time-outs of connections and streams cost." });

const CONNECTIONS = 10_000;
const IDLE_MS = 60_000;
const doNothing = (): void => undefined;
const nothing: Expiring = { onDeadline: doNothing };

/** A wheel whose time is ours, and what makes it look. */
function wheelByHand(): { readonly wheel: TimerWheel; readonly look: (ms: number) => void } {
  let now = 0;
  let look: (() => void) | undefined;
  const every = (tick: () => void): (() => void) => {
    look = tick;
    return () => (look = undefined);
  };
  return { wheel: new TimerWheel({ now: () => now, every }), look: (ms) => ((now += ms), look?.()) };
}

/** One look at all deadlines, as before the wheel. */
class Sweep {
  readonly deadlines = new Set<{ deadlineMs: number; onDeadline(): void }>();
  nowMs = 0;
  look(): void {
    for (const deadline of this.deadlines) if (deadline.deadlineMs <= this.nowMs) deadline.onDeadline();
  }
}

{
  const { wheel } = wheelByHand();
  const timers = Array.from({ length: CONNECTIONS }, () => wheel.timer(nothing));
  for (const timer of timers) timer.deadlineMs = IDLE_MS;
  const sweep = new Sweep();
  const deadlines = timers.map(() => ({ deadlineMs: IDLE_MS, onDeadline: () => undefined }));
  for (const deadline of deadlines) sweep.deadlines.add(deadline);
  report(
    "wheel: move a deadline later",
    cpuNsOf(2e7, (n) => moveAll(timers, n)),
  );
  report(
    "sweep: move a deadline later",
    cpuNsOf(2e7, (n) => moveAll(deadlines, n)),
  );
  const native = timers.map(() => setTimeout(() => undefined, IDLE_MS));
  report(
    "setTimeout: refresh()",
    cpuNsOf(1e6, (n) => {
      for (let i = 0; i < n; i++) native[i % CONNECTIONS]!.refresh();
    }),
  );
  for (const timer of native) clearTimeout(timer);
}

function moveAll(timers: readonly { deadlineMs: number }[], operations: number): void {
  for (let i = 0; i < operations; i++) timers[i % CONNECTIONS]!.deadlineMs = IDLE_MS + i;
}

{
  const { wheel, look } = wheelByHand();
  for (let i = 0; i < CONNECTIONS; i++) wheel.timer(nothing).deadlineMs = IDLE_MS * 1000;
  report(
    "wheel: one look, 10,000 timers",
    cpuNsOf(20_000, (n) => {
      for (let i = 0; i < n; i++) look(100);
    }),
  );
  const sweep = new Sweep();
  for (let i = 0; i < CONNECTIONS; i++) sweep.deadlines.add({ deadlineMs: IDLE_MS, onDeadline: () => undefined });
  report(
    "sweep: one look, 10,000 timers",
    cpuNsOf(5000, (n) => {
      for (let i = 0; i < n; i++) sweep.look();
    }),
  );
}

{
  const { wheel } = wheelByHand();
  report(
    "wheel: a stream's timer, made, armed, moved and cancelled",
    cpuNsOf(3e6, (n) => {
      for (let i = 0; i < n; i++) {
        const timer = wheel.timer(nothing);
        timer.deadlineMs = wheel.nowMs + IDLE_MS;
        timer.deadlineMs = wheel.nowMs + IDLE_MS + 1;
        timer.cancel();
      }
    }),
  );
  const sweep = new Sweep();
  report(
    "sweep: a stream's deadline, added, moved and removed",
    cpuNsOf(3e6, (n) => {
      for (let i = 0; i < n; i++) {
        const deadline = { deadlineMs: sweep.nowMs + IDLE_MS, onDeadline: doNothing };
        sweep.deadlines.add(deadline);
        deadline.deadlineMs = sweep.nowMs + IDLE_MS + 1;
        sweep.deadlines.delete(deadline);
      }
    }),
  );
  report(
    "exact timer on the wheel: made, started and cancelled",
    cpuNsOf(2e6, (n) => {
      for (let i = 0; i < n; i++) {
        const timer = new ExactTimer(wheel, doNothing);
        timer.start(15_000);
        timer.cancel();
      }
    }),
  );
  report(
    "setTimeout: made and cleared",
    cpuNsOf(5e5, (n) => {
      for (let i = 0; i < n; i++) clearTimeout(setTimeout(doNothing, IDLE_MS));
    }),
  );
}
