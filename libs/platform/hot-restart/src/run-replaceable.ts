import { type Module, runMain } from "@fairlead/lifecycle";
import { createLogger, type Logger } from "@fairlead/logging";
import type { EpochLink } from "./epoch-link.ts";
import { supervise } from "./supervise.ts";
import { asEpoch, isEpoch, type ReplaceableModule, supervisedBy } from "./supervised.ts";

/** What the process that serves has besides its configuration. */
export interface ServingProcess {
  /** Its supervisor, and its place among the processes that follow each other. @default it is the only one */
  readonly epoch?: EpochLink;
  /** Ends it as an operator wants (POST /quitquitquit): with all processes of its supervisor. @default stops the module alone */
  readonly quit: () => void;
}

/** What serves; its telemetry ends last. */
export interface Serving {
  readonly module: ReplaceableModule;
  readonly telemetry: { shutdown(): Promise<void> };
}

export interface ReplaceableConfig {
  readonly logLevel: string;
  readonly hotRestart: boolean;
  /** In milliseconds. */
  readonly hotRestartTimeout: number;
  /** In milliseconds. */
  readonly drainTimeout: number;
}

export interface ReplaceableProgram<Config extends ReplaceableConfig> {
  readonly service: string;
  readonly config: { load(): Config };
  /** The program's own file, which a supervisor starts again and again. */
  readonly main: string;
  /** Imports what serves: not for a supervisor, which is to be small. */
  readonly serve: (config: Config, logger: Logger, process: ServingProcess) => Promise<Serving>;
}

/** The body of the `main.ts` of a program that may be replaced while it serves. Exit codes are those of `runMain`. */
export async function runReplaceable<Config extends ReplaceableConfig>(
  program: ReplaceableProgram<Config>,
): Promise<void> {
  await runMain(async () => {
    const config = program.config.load();
    const logger = createLogger({ service: program.service, level: config.logLevel });
    return { logger, module: await superviseOrServe(program, config, logger) };
  });
}

/** A supervisor where it is asked for, else, and below one, what serves. */
async function superviseOrServe<Config extends ReplaceableConfig>(
  { main, serve }: ReplaceableProgram<Config>,
  config: Config,
  logger: Logger,
): Promise<Module> {
  if (config.hotRestart && !isEpoch()) {
    const { hotRestartTimeout: readyTimeoutMs, drainTimeout: drainTimeoutMs } = config;
    return supervise({ logger, main, readyTimeoutMs, drainTimeoutMs });
  }
  const epoch = await supervisedBy();
  const end = (): void => void process.kill(process.pid, "SIGTERM");
  const supervised = epoch === undefined ? { quit: end } : { epoch, quit: () => epoch.quit() };
  const { module, telemetry } = await serve(config, logger, supervised);
  const serving = asEpoch(module, epoch, end);
  return {
    name: serving.name,
    start: async () => await serving.start(),
    async stop() {
      await serving.stop();
      await telemetry.shutdown();
    },
  };
}
