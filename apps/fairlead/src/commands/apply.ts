import { readFile } from "node:fs/promises";
import { text as readAll } from "node:stream/consumers";
import { FairleadError } from "@fairlead/errors";
import { Command } from "commander";
import { type AppliedPolicies, appliedPoliciesSchema } from "../registry/policies.ts";
import { timeoutMsOf, waitQuery } from "../registry/wait.ts";
import { type CommandOutput, reportError, writeJson } from "./output.ts";
import { jsonOption, registryClient, registryOption } from "./registry-option.ts";
import "../errors.ts";

interface ApplyOptions {
  readonly file: string;
  readonly registry: string;
  readonly dryRun?: boolean;
  readonly wait?: boolean;
  readonly timeout: string;
  readonly json?: boolean;
}

async function readPolicies(file: string, input: NodeJS.ReadableStream): Promise<string> {
  if (file === "-") return await readAll(input as NodeJS.ReadStream);
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    throw new FairleadError("FL_CLI_FILE", `cannot read ${file}: ${(cause as Error).message}`, {
      facts: { file },
      cause,
    });
  }
}

function describe(applied: AppliedPolicies, dryRun: boolean): string {
  const lines = applied.objects.map(
    ({ kind, namespace, name, outcome }) =>
      `${kind} ${namespace}/${name}: ${dryRun && outcome !== "unchanged" ? `would be ${outcome}` : outcome}`,
  );
  const { convergence } = applied;
  if (convergence !== undefined) lines.push(`revision ${applied.revision} converged on ${convergence.proxies} proxies`);
  else if (!dryRun) lines.push(`revision ${applied.revision}`);
  return lines.join("\n");
}

export function applyCommand(output: CommandOutput, input: NodeJS.ReadableStream = process.stdin): Command {
  return new Command("apply")
    .summary("store policies from a YAML file")
    .description(
      "Checks the policies of a YAML file and stores them, all or none. What is wrong is named with file, line, column and field.",
    )
    .requiredOption("-f, --file <file>", "YAML with one or more policies; - reads standard input")
    .option("--dry-run", "check only, store nothing")
    .option("--wait", "answer once every proxy that the policies concern has ACKed them")
    .option("--timeout <time>", "how long --wait waits, e.g. 500ms, 10s, 2m", "10s")
    .addOption(registryOption())
    .addOption(jsonOption())
    .addHelpText(
      "after",
      "\nExamples:\n  fairlead apply -f reviews.yaml --dry-run\n  fairlead apply -f reviews.yaml --wait --timeout 30s\n  cat *.yaml | fairlead apply -f -",
    )
    .action(async (options: ApplyOptions) => {
      try {
        const text = await readPolicies(options.file, input);
        const query = waitQuery(options);
        query.set("file", options.file === "-" ? "stdin" : options.file);
        if (options.dryRun === true) query.set("dryRun", "true");
        const applied = await registryClient(options.registry).call({
          method: "PUT",
          path: `/v1/policies?${query.toString()}`,
          body: { type: "application/yaml", text },
          answer: appliedPoliciesSchema,
          timeoutMs: timeoutMsOf(options),
        });
        if (options.json === true) writeJson(output, applied);
        else output.out.write(`${describe(applied, options.dryRun === true)}\n`);
      } catch (error) {
        reportError(output, error, options.json === true);
      }
    });
}
