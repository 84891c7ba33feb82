/** What it costs to destroy later instead of at once: `node bench/src/micro/deferral.ts`. */
import { Dispatcher } from "@fairlead/dispatcher";
import { readCommandLine } from "@fairlead/lifecycle";
import { report } from "./measure.ts";

readCommandLine({ usage: "node bench/src/micro/deferral.ts\nWhat it costs to destroy later instead of at once." });

let destroyed = 0;

/** Some objects in each turn of the loop are destroyed after it. */
async function deferred(turns: number, perTurn: number): Promise<number> {
  const dispatcher = new Dispatcher();
  const before = process.cpuUsage();
  for (let turn = 0; turn < turns; turn++) {
    for (let i = 0; i < perTurn; i++) dispatcher.deferredDelete({ destroy: () => destroyed++ });
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { user, system } = process.cpuUsage(before);
  return ((user + system) * 1000) / (turns * perTurn);
}

async function atOnce(turns: number, perTurn: number): Promise<number> {
  const before = process.cpuUsage();
  for (let turn = 0; turn < turns; turn++) {
    for (let i = 0; i < perTurn; i++) ({ destroy: () => destroyed++ }).destroy();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { user, system } = process.cpuUsage(before);
  return ((user + system) * 1000) / (turns * perTurn);
}

async function least(run: () => Promise<number>): Promise<number> {
  let ns = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 7; round++) ns = Math.min(ns, await run());
  return ns;
}

for (const perTurn of [1, 10, 100]) {
  const turns = 200_000 / perTurn;
  report(`at once, ${perTurn} a turn, with the turn`, await least(() => atOnce(turns, perTurn)));
  report(`deferred, ${perTurn} a turn, with the turn`, await least(() => deferred(turns, perTurn)));
}
