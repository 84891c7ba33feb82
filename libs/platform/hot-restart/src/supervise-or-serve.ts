import type { Module } from "@fairlead/lifecycle";
import type { Logger } from "@fairlead/logging";
import type { EpochLink } from "./epoch-link.ts";
import { supervise } from "./supervise.ts";
import { asEpoch, isEpoch, type ReplaceableModule, supervisedBy } from "./supervised.ts";

/** What the process that serves has besides its configuration. */
export interface ServingProcess {
  /** Its supervisor; absent where it has none. */
  readonly epoch?: EpochLink;
  /** Ends it as an operator wants: with all processes of its supervisor. */
  readonly quit: () => void;
}

/** What serves; its telemetry ends last. */
export interface Serving {
  readonly module: ReplaceableModule;
  readonly telemetry: { shutdown(): Promise<void> };
}

export interface SuperviseOrServeOptions {
  readonly logger: Logger;
  readonly config: {
    readonly hotRestart: boolean;
    /** In milliseconds. */
    readonly hotRestartTimeout: number;
    /** In milliseconds. */
    readonly drainTimeout: number;
  };
  /** The program, which a supervisor starts again and again. */
  readonly main: string;
  /** Imports what serves: not for a supervisor, which is to be small. */
  readonly serve: (process: ServingProcess) => Promise<Serving>;
}

/** What a program with hot restart runs: a supervisor where it is asked for, else, and below one, what serves. */
export async function superviseOrServe({ logger, config, main, serve }: SuperviseOrServeOptions): Promise<Module> {
  if (config.hotRestart && !isEpoch()) {
    const { hotRestartTimeout: readyTimeoutMs, drainTimeout: drainTimeoutMs } = config;
    return supervise({ logger, main, readyTimeoutMs, drainTimeoutMs });
  }
  const epoch = await supervisedBy();
  const end = (): void => void process.kill(process.pid, "SIGTERM");
  const { module, telemetry } = await serve(epoch === undefined ? { quit: end } : { epoch, quit: () => epoch.quit() });
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
