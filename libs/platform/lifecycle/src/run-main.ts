import { FairleadError } from "@fairlead/errors";
import type { Logger } from "@fairlead/logging";
import { endWrongUsage } from "./command-line.ts";
import type { Module } from "./module.ts";

/** How long a process may take to stop before it is ended. */
const stopDeadlineMs = 30_000;

const wrongConfiguration = 64;
const usage = "Takes no options: its settings are variables of the environment, which docs/reference/config.md lists.";

/**
 * The body of every `main.ts`: builds the module, starts it, stops it on SIGTERM or SIGINT.
 *
 * Exit codes: 0 stopped as asked, 64 wrong configuration or an option, 1 anything else. A second signal ends the process at once.
 *
 * @param build reads the configuration and makes the module with its logger
 */
export async function runMain(build: () => Promise<{ module: Module; logger: Logger }>): Promise<void> {
  takeNoOptions();
  let built: { module: Module; logger: Logger };
  try {
    built = await build();
  } catch (caught) {
    const error = FairleadError.from(caught);
    process.stderr.write(`${error.code}: ${error.message}\n`);
    process.exit(error.code === "FL_CONFIG_INVALID" ? wrongConfiguration : 1);
  }
  const { module, logger } = built;

  const exit = (code: number) => {
    logger.flush(() => process.exit(code));
    setTimeout(() => process.exit(code), 500).unref();
  };
  const fail = (message: string) => (error: unknown) => {
    logger.fatal({ err: error }, message);
    exit(1);
  };
  process.on("uncaughtException", fail("uncaught exception"));
  process.on("unhandledRejection", fail("unhandled rejection"));

  let stopping = false;
  const stop = (signal: string) => {
    if (stopping) process.exit(1);
    stopping = true;
    logger.info({ signal }, "stopping");
    setTimeout(
      () => fail("did not stop in time")(new Error(`still stopping after ${stopDeadlineMs} ms`)),
      stopDeadlineMs,
    ).unref();
    module.stop().then(() => exit(0), fail("did not stop cleanly"));
  };
  process.on("SIGTERM", () => stop("SIGTERM"));
  process.on("SIGINT", () => stop("SIGINT"));

  try {
    await module.start();
    logger.info("started");
  } catch (error) {
    fail("could not start")(error);
  }
}

function takeNoOptions(): void {
  // What a process was forked with is between it and its parent.
  if (process.send !== undefined) return;
  const [first] = process.argv.slice(2);
  if (first === undefined) return;
  if (first !== "--help") endWrongUsage(`${first}: it takes no options`, wrongConfiguration);
  process.stdout.write(`${usage}\n`);
  process.exit(0);
}
