import { FairleadError } from "@fairlead/errors";
import { Command } from "commander";
import { readPolicyFile } from "../registry/policy-file.ts";
import { previewApply, previewDelete } from "../registry/preview-client.ts";
import { hasChanges, previewText } from "../registry/preview-text.ts";
import { type CommandOutput, outputStyle, reportError, writeJson } from "./output.ts";
import { jsonOption, registryClient, registryOption } from "./registry-option.ts";
import "../errors.ts";

interface DiffOptions {
  readonly file?: string;
  readonly delete?: string;
  readonly registry: string;
  readonly json?: boolean;
}

/** `kind/name` or `kind/namespace/name`. */
function policyNamed(text: string): { kind: string; namespace: string; name: string } {
  const parts = text.split("/");
  const [kind, namespace, name] = parts.length === 2 ? [parts[0], "default", parts[1]] : parts;
  if (parts.length > 3 || !kind || !namespace || !name) {
    throw new FairleadError("FL_CLI_USAGE", `--delete ${text}: expected kind/name or kind/namespace/name`);
  }
  return { kind, namespace, name };
}

export function diffCommand(output: CommandOutput, input: NodeJS.ReadableStream = process.stdin): Command {
  return new Command("diff")
    .summary("what an apply or a delete would change, and for which proxies")
    .description(
      "Compiles the mesh with and without the change, and shows what differs: the text of each policy, each xDS resource as JSON,\n" +
        "which proxies hold it, and what the compiler would refuse. Nothing is changed.\n" +
        "Exit codes: 0 nothing would change, 1 something would, 2 it could not be told, 64 wrong usage.",
    )
    .option("-f, --file <file>", "YAML with one or more policies; - reads standard input")
    .option("--delete <policy>", "a policy to be removed: kind/name, or kind/namespace/name")
    .addOption(registryOption())
    .addOption(jsonOption())
    .addHelpText(
      "after",
      "\nExamples:\n  fairlead diff -f reviews.yaml\n  fairlead diff --delete VirtualService/shop/reviews\n  fairlead diff -f reviews.yaml --json | jq '.preview.audiences'",
    )
    .action(async (options: DiffOptions) => {
      try {
        const { file, delete: removed } = options;
        if ((file === undefined) === (removed === undefined)) {
          throw new FairleadError("FL_CLI_USAGE", "give either --file or --delete");
        }
        const registry = registryClient(options.registry);
        const change =
          file === undefined
            ? await previewDelete(registry, policyNamed(removed!))
            : await previewApply(registry, await readPolicyFile(file, input));
        if (options.json === true) writeJson(output, change);
        else output.out.write(`${previewText(change, outputStyle(output))}\n`);
        if (hasChanges(change)) output.exitCode(1);
      } catch (error) {
        reportError(output, error, options.json === true, 2);
      }
    });
}
