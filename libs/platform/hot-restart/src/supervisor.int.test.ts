import assert from "node:assert/strict";
import { get, type Agent } from "node:http";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { FairleadError } from "@fairlead/errors";
import { freePort, until } from "@fairlead/testing-basics";
import { Supervisor, type SupervisorOptions } from "./supervisor.ts";

const main = join(import.meta.dirname, "testing/epoch-program.ts");

interface LogLine extends Record<string, unknown> {
  readonly message: string;
}

/** A supervisor of the small program, on a free port. */
class Supervised implements AsyncDisposable {
  readonly lines: LogLine[] = [];
  readonly supervisor: Supervisor;
  readonly port: number;

  private constructor(port: number, options: Partial<SupervisorOptions>, environment: NodeJS.ProcessEnv) {
    this.port = port;
    const log = (facts: object, message: string) => void this.lines.push({ ...facts, message });
    this.supervisor = new Supervisor({
      program: { main, environment: { ...process.env, TEST_PORT: String(port), ...environment }, nodeArguments: [] },
      logger: { info: log, warn: log, error: log } as never,
      readyTimeoutMs: 20_000,
      retireTimeoutMs: 5000,
      stopTimeoutMs: 2000,
      onQuit: () => undefined,
      ...options,
    });
  }

  static async make(
    options: Partial<SupervisorOptions> = {},
    environment: NodeJS.ProcessEnv = {},
  ): Promise<Supervised> {
    return new Supervised(await freePort(), options, environment);
  }

  async logged(message: RegExp): Promise<LogLine> {
    await until(`a line in the log: ${message}`, () => this.lines.some((line) => message.test(line.message)), 15_000);
    return this.lines.find((line) => message.test(line.message)) as LogLine;
  }

  async answer(agent?: Agent): Promise<string> {
    return await new Promise((resolve, reject) => {
      const outgoing = get({ host: "127.0.0.1", port: this.port, agent: agent ?? false }, (response) => {
        let text = "";
        response.on("data", (chunk) => (text += String(chunk)));
        response.on("end", () => resolve(text));
        response.on("error", reject);
      });
      outgoing.on("error", reject);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.supervisor.stop();
  }
}

test("a restart replaces the process; each new connection is served, by the one or the other", async () => {
  await using supervised = await Supervised.make();
  await supervised.supervisor.start();
  const answers: string[] = [];
  const client = { stopped: false };
  const load = (async () => {
    while (!client.stopped) answers.push(await supervised.answer());
  })();
  await until("answers of the first", () => answers.length > 10, 15_000);
  supervised.supervisor.restart();
  supervised.supervisor.restart();
  assert.equal((await supervised.logged(/under way already/)).epoch, 1);
  await supervised.logged(/that was replaced has ended/);
  const after = answers.length;
  await until("answers of the second", () => answers.length > after + 10, 15_000);
  client.stopped = true;
  await load;
  assert.match(answers[0] ?? "", /^epoch 0, after 0/);
  assert.match(answers.at(-1) ?? "", /^epoch 1, after \d{2,}/);
  assert.equal(supervised.supervisor.serving?.number, 1);
});

test("one that is not ready in time is ended, the log says what it waited for, and the one before it goes on", async () => {
  await using supervised = await Supervised.make({ readyTimeoutMs: 5000 }, { TEST_FAILS: "1:ready" });
  await supervised.supervisor.start();
  supervised.supervisor.restart();
  const line = await supervised.logged(/not ready in time/);
  assert.deepEqual([line["epoch"], line["serving"], line["waiting_for"]], [1, 0, ["the test"]]);
  assert.match(await supervised.answer(), /^epoch 0/);
  // And the next try is not held back by it.
  supervised.supervisor.restart();
  await supervised.logged(/that was replaced has ended/);
  assert.match(await supervised.answer(), /^epoch 2/);
});

test("a crash: who calls meanwhile waits in the socket's queue and is served by the next process", async () => {
  await using supervised = await Supervised.make();
  await supervised.supervisor.start();
  await new Promise<void>((resolve) => {
    const socket = connect(supervised.port, "127.0.0.1", () => socket.write("GET /crash HTTP/1.1\r\nhost: x\r\n\r\n"));
    socket.on("error", () => undefined);
    socket.on("close", () => resolve());
  });
  assert.match(await supervised.answer(), /^epoch 1/);
  const line = await supervised.logged(/that served has ended/);
  assert.deepEqual([line["epoch"], line["signal"]], [0, "SIGKILL"]);
});

test("one that ends while it starts leaves the one before it alone", async () => {
  await using supervised = await Supervised.make({}, { TEST_FAILS: "1:start" });
  await supervised.supervisor.start();
  supervised.supervisor.restart();
  const line = await supervised.logged(/ended before it was ready/);
  assert.deepEqual([line["epoch"], line["code"], line["serving"]], [1, 3, 0]);
  assert.match(await supervised.answer(), /^epoch 0/);
});

test("the first one that cannot start fails the start, and an address that is taken is told as a bind tells it", async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => void taken.listen(0, "127.0.0.1", resolve));
  const { port } = taken.address() as { port: number };
  const supervised = await Supervised.make({}, { TEST_PORT: String(port) });
  await assert.rejects(
    supervised.supervisor.start(),
    (error) => error instanceof FairleadError && error.code === "FL_EPOCH_FAILED" && /exit code 1/.test(error.message),
  );
  taken.close();
});

test("a stop ends a process that only just begins, and one that still imports what it needs", async () => {
  for (const begun of [false, true]) {
    const supervised = await Supervised.make({ stopTimeoutMs: 60_000 }, { TEST_FAILS: "1:imports" });
    const { supervisor, lines } = supervised;
    await supervisor.start();
    supervisor.restart();
    await until(
      "the process waits",
      () => {
        if (!begun) return true;
        supervisor.restart();
        return JSON.stringify(lines).includes("its imports");
      },
      15_000,
    );
    const began = performance.now();
    await supervisor.stop();
    assert(performance.now() - began < 20_000);
  }
});
