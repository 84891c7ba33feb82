import type { RejectedObject } from "@fairlead/registration";
import { Command } from "commander";
import { type AppliedPolicies, appliedPoliciesSchema } from "../registry/policies.ts";
import { readPolicyFile } from "../registry/policy-file.ts";
import { previewApply } from "../registry/preview-client.ts";
import { newlyRejected, previewText } from "../registry/preview-text.ts";
import { brokenBy, rejectionLines } from "../registry/rejections.ts";
import { timeoutMsOf, waitQuery } from "../registry/wait.ts";
import { styleFor } from "../terminal/style.ts";
import { type CommandOutput, outputStyle, reportError, writeJson } from "./output.ts";
import { jsonOption, registryClient, registryOption } from "./registry-option.ts";

interface ApplyOptions {
  readonly file: string;
  readonly registry: string;
  readonly dryRun?: boolean;
  readonly wait?: boolean;
  readonly timeout: string;
  readonly json?: boolean;
}

function describe({ objects, revision, convergence }: AppliedPolicies): string {
  const lines = objects.map(({ kind, namespace, name, outcome }) => `${kind} ${namespace}/${name}: ${outcome}`);
  lines.push(
    convergence === undefined
      ? `revision ${revision}`
      : `revision ${revision} converged on ${convergence.proxies} proxies`,
  );
  return lines.join("\n");
}

/** Of the file's policies those that are stored and not, or not all, in force; and what else cannot be compiled any more. */
function rejectedOf(applied: AppliedPolicies): { own: RejectedObject[]; others: RejectedObject[] } {
  const { objects, convergence } = applied;
  const keys = new Set(objects.map(({ kind, namespace, name }) => `${kind}/${namespace}/${name}`));
  const isOwn = ({ kind, key }: RejectedObject) => kind === "policy" && keys.has(key);
  // A file that changes nothing has broken nothing: the revision is that of an earlier change.
  const broken = objects.every(({ outcome }) => outcome === "unchanged") ? [] : brokenBy(applied);
  return {
    own: (convergence?.rejected ?? []).filter(isOwn),
    others: broken.filter((object) => !isOwn(object)),
  };
}

export function applyCommand(output: CommandOutput, input: NodeJS.ReadableStream = process.stdin): Command {
  return new Command("apply")
    .summary("store policies from a YAML file")
    .description(
      "Checks the policies of a YAML file and stores them, all or none. What is wrong is named with file, line, column and field.\n" +
        "Exit code 1 when something is wrong; with --wait also when a proxy refuses what they compile to, or they cannot be compiled, or others cannot any more;\n" +
        "with --dry-run also when the compiler would not take them.",
    )
    .requiredOption("-f, --file <file>", "YAML with one or more policies; - reads standard input")
    .option("--dry-run", "store nothing; show what would change, and for which proxies")
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
        const file = await readPolicyFile(options.file, input);
        const query = waitQuery(options);
        const registry = registryClient(options.registry);
        if (options.dryRun === true) {
          const change = await previewApply(registry, file);
          if (options.json === true) writeJson(output, change);
          else output.out.write(`${previewText(change, outputStyle(output))}\n`);
          if (newlyRejected(change).length > 0) output.exitCode(1);
          return;
        }
        query.set("file", file.name);
        const applied = await registry.call({
          method: "PUT",
          path: `/v1/policies?${query.toString()}`,
          body: { type: "application/yaml", text: file.text },
          answer: appliedPoliciesSchema,
          timeoutMs: timeoutMsOf(options),
        });
        if (options.json === true) writeJson(output, applied);
        else output.out.write(`${describe(applied)}\n`);
        const { own, others } = rejectedOf(applied);
        if (own.length + others.length === 0) return;
        output.exitCode(1);
        if (options.json === true) return;
        const style = styleFor(output.err);
        const lines = [
          ...rejectionLines("stored, but not all in force", own, style),
          ...rejectionLines("stored, and it breaks others", others, style),
        ];
        output.err.write(`${lines.join("\n")}\n`);
      } catch (error) {
        reportError(output, error, options.json === true);
      }
    });
}
