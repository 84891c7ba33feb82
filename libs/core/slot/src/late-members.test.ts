import assert from "node:assert/strict";
import { test } from "node:test";
import { taskKey } from "./keys.ts";
import type { Answer, Command } from "./messages.ts";
import { SlotControl } from "./slot-control.ts";

const name = taskKey<undefined, string>("name");
const patienceMs = 1000;

/** The control side's end of a channel to a worker that answers when it is told to. */
function silentWorker(control: SlotControl, answer: string) {
  let tell: (message: unknown) => void = () => undefined;
  const asked: Command[] = [];
  const link = control.addWorker(answer, {
    postMessage: (commands) => void asked.push(...(commands as Command[])),
    on: (_event, listener) => void (tell = listener),
    off: () => undefined,
  });
  const answerAll = (): void => tell(asked.splice(0).map(({ sequence }): Answer => ({ sequence, result: answer })));
  return { link, asked, answerAll };
}

test("who does not answer in time is left out, and not waited for until it has answered all", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const control = new SlotControl();
  const [quick, stuck] = [silentWorker(control, "quick"), silentWorker(control, "stuck")];
  const late: unknown[] = [];
  const onLateAnswer = ({ result }: Answer): void => void late.push(result);
  const ask = () => control.runOnAllWorkers(name, undefined, { patienceMs, onLateAnswer });

  const first = ask();
  await Promise.resolve();
  quick.answerAll();
  context.mock.timers.tick(patienceMs - 1);
  assert.equal(stuck.link.late, false);
  context.mock.timers.tick(1);
  assert.deepEqual(await first, ["quick"]);
  assert.deepEqual([quick.link.late, stuck.link.late], [false, true]);

  const second = ask();
  await Promise.resolve();
  quick.answerAll();
  assert.deepEqual(await second, ["quick"], "at once");
  assert.equal(stuck.asked.length, 2, "it is sent what comes all the same");

  stuck.answerAll();
  assert.deepEqual([late, stuck.link.late], [["stuck", "stuck"], false]);
  const third = ask();
  await Promise.resolve();
  quick.answerAll();
  stuck.answerAll();
  assert.deepEqual(await third, ["quick", "stuck"]);
});

test("who has ended owes nothing, and without a limit it is waited for", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const control = new SlotControl();
  const stuck = silentWorker(control, "stuck");
  const limited = control.runOnAllWorkers(name, undefined, { patienceMs });
  context.mock.timers.tick(patienceMs);
  assert.deepEqual(await limited, []);
  const unlimited = control.runOnAllWorkers(name, undefined);
  context.mock.timers.tick(100 * patienceMs);
  assert.equal(stuck.link.late, true);
  stuck.link.remove();
  assert.deepEqual(await unlimited, []);
  assert.equal(stuck.link.late, false);
});
