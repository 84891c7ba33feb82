import { FairleadError } from "@fairlead/errors";
import { Command, InvalidArgumentError, Option } from "commander";
import { runMeshCheck } from "../check/run-mesh-check.ts";
import { defaultDataFolder } from "../up/data-folder.ts";
import { runMesh } from "../up/run-mesh.ts";
import { type CommandOutput, reportError } from "./output.ts";
import type { UpOptions } from "../up/up-options.ts";
import { jsonOption } from "./registry-option.ts";

function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max)
      throw new InvalidArgumentError(`It must be a number from ${min} to ${max}.`);
    return value;
  };
}

export function upCommand(output: CommandOutput): Command {
  return new Command("up")
    .summary("a whole mesh on this machine, with a sample shop")
    .description(
      "Starts PostgreSQL, the control plane, and a sample shop behind sidecars, each a process of its own, with calls flowing. Ctrl-C stops all of it.\n" +
        "Where ZooKeeper is installed (Debian: apt-get install zookeeper), one service is registered only there, and bridged.\n" +
        "What is registered and applied stays in the data folder. With FAIRLEAD_DATABASE_URL set, that database is used.",
    )
    .option("--check", "send the traffic that proves the mesh, print a table, stop everything; exit 0 or 1")
    .addOption(
      new Option("--data-folder <folder>", "database and logs; --check uses a temporary one")
        .env("FAIRLEAD_DATA_FOLDER")
        .default(undefined, defaultDataFolder()),
    )
    .option("--free-ports", "any free ports instead of the usual ones; --check does so too")
    .option("--port-base <port>", "nine ports from this one on, instead of the usual ones", wholeNumber(1024, 65_527))
    .option("--no-traffic", "no sample calls")
    .option("--traffic-rate <calls>", "sample calls a second", wholeNumber(1, 1000), 5)
    .addOption(jsonOption())
    .addHelpText(
      "after",
      "\nExamples:\n  fairlead up\n  fairlead up --check --json\n  fairlead up --port-base 20000 --data-folder /tmp/mesh\n\n" +
        "Ports: registry-sync 13300, config-compiler 13301, ads-gateway 15010 and 15014; the first sidecar 13330 (registration), 15001 (outbound),\n" +
        "12220 (outbound Dubbo and bolt), 15006 (inbound), 15000 (admin). Further sidecars and the samples take free ones.",
    )
    .action(async (options: UpOptions) => {
      try {
        if (options.freePorts === true && options.portBase !== undefined) {
          throw new FairleadError("FL_CLI_USAGE", "--free-ports and --port-base exclude each other");
        }
        output.exitCode(options.check === true ? await runMeshCheck(options, output) : await runMesh(options, output));
      } catch (error) {
        reportError(output, error, options.json === true);
      }
    });
}
