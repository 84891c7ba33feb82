import assert from "node:assert/strict";
import { test } from "node:test";
import { slotKey, taskKey } from "./keys.ts";
import type { Answer, Command, SlotPort } from "./messages.ts";
import { SlotControl } from "./slot-control.ts";

const name = taskKey<undefined, string>("name");
const colour = slotKey<string>("colour");
const patienceMs = 1000;

/** The control side's end of a channel to a worker that answers when it is told to. */
function silentWorker(control: SlotControl, answer: string) {
  let tell: (message: unknown) => void = () => undefined;
  const asked: Command[] = [];
  const port: SlotPort = {
    postMessage: (commands) => void asked.push(...(commands as Command[])),
    on: (_event, listener) => void (tell = listener),
    off: () => undefined,
  };
  const behind = { times: 0 };
  const link = control.addWorker(answer, port, () => void behind.times++);
  const answerAll = (): void => tell(asked.splice(0).map(({ sequence }): Answer => ({ sequence, result: answer })));
  return { link, asked, behind, answerAll };
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

test("who has ended is asked nothing more: what would be waited for has ended already", async () => {
  const control = new SlotControl();
  const gone = silentWorker(control, "gone");
  gone.link.remove();
  assert.equal(await gone.link.run(name, undefined), undefined);
});

test("a value is not waited for without an end; who is late gets the newest one only, when it has answered", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const control = new SlotControl({ patienceMs });
  const stuck = silentWorker(control, "stuck");
  const first = control.set(colour, "red");
  context.mock.timers.tick(patienceMs);
  await first;
  assert.equal(stuck.link.late, true);
  for (const payload of ["green", "blue", "white"]) await control.set(colour, payload);
  assert.deepEqual(payloadsOf(stuck.asked), ["red"]);
  stuck.answerAll();
  await Promise.resolve();
  assert.deepEqual([payloadsOf(stuck.asked), stuck.link.late, stuck.behind.times], [["white"], false, 0]);
});

test("what is withheld from who is late is asked of it again when it has answered", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const control = new SlotControl({ patienceMs });
  const stuck = silentWorker(control, "stuck");
  const ask = () => control.runOnAllWorkers(name, undefined, { patienceMs, withhold: true });
  const first = ask();
  context.mock.timers.tick(patienceMs);
  assert.deepEqual(await first, []);
  assert.deepEqual([await ask(), await ask()], [[], []]);
  await control.set(colour, "red");
  assert.equal(stuck.asked.length, 1, "nothing is sent");
  assert.equal(stuck.link.resume(), false, "it has not answered");

  stuck.answerAll();
  await Promise.resolve();
  assert.deepEqual([stuck.behind.times, stuck.link.late, stuck.asked], [1, true, []]);
  assert.equal(stuck.link.resume(), true);
  assert.equal(stuck.link.late, false);
  const again = stuck.link.run(name, undefined, { patienceMs, withhold: true });
  await Promise.resolve();
  assert.deepEqual(stuck.asked.map(({ kind }) => kind), ["set", "run"]); // prettier-ignore
  stuck.answerAll();
  assert.equal(await again, "stuck");
  assert.equal(stuck.link.resume(), false, "it is not behind");
});

function payloadsOf(asked: readonly Command[]): unknown[] {
  return asked.flatMap((command) => (command.kind === "set" ? [command.payload] : []));
}
