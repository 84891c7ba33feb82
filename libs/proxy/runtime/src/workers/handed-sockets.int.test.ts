import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { Supervisor } from "@fairlead/hot-restart";
import { freePort, until } from "@fairlead/testing-basics";
import { SteadyLoad } from "@fairlead/testing-load";
import { Backend } from "../testing/backend.ts";

test("worker threads take their sockets from the workers before them: a hot restart fails no request", async () => {
  await using backend = await Backend.named("b");
  const port = await freePort();
  const messages: string[] = [];
  const note = (_facts: object, message: string): void => void messages.push(message);
  const environment = { ...process.env, TEST_PORT: String(port), TEST_BACKEND: String(backend.port) };
  const supervisor = new Supervisor({
    program: {
      main: join(import.meta.dirname, "../testing/epoch-of-threads-under-test.ts"),
      environment,
      nodeArguments: [],
    },
    logger: { info: note, warn: note, error: note } as never,
    readyTimeoutMs: 30_000,
    retireTimeoutMs: 10_000,
    onQuit: () => undefined,
  });
  await supervisor.start();
  const load = new SteadyLoad({ port, host: "x" });
  try {
    await load.progress(200);
    supervisor.restart();
    await until("the restart", () => messages.includes("the process that was replaced has ended"), 15_000);
    await load.progress(200);
    await load.stop();
    assert.deepEqual(load.failures, []);
    assert.equal(supervisor.serving?.number, 1);
  } finally {
    await load.stop();
    await supervisor.stop();
  }
});
