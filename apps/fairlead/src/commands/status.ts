import { Command } from "commander";
import { needsAttention, readMeshStatus } from "../registry/mesh-status.ts";
import { statusSummary } from "../registry/status-summary.ts";
import { statusTable } from "../registry/status-table.ts";
import { type CommandOutput, outputStyle, reportError, writeJson } from "./output.ts";
import { jsonOption, registryClient, registryOption } from "./registry-option.ts";

export function statusCommand(output: CommandOutput): Command {
  return new Command("status")
    .summary("what each proxy has of its configuration, and what is refused")
    .description(
      "Shows each proxy, its gateway, and each type of configuration: version, and whether the proxy ACKed it, or why it did not;\n" +
        "the config-compiler and the gateways with their revisions; what proxies refuse and what the compiler rejects, each with the\n" +
        "policy that it comes from, its file and line.\n" +
        "Exit code 1 when there is something to look at: a proxy that refuses something, does not answer or is not connected, a gateway\n" +
        "that does not answer, no active compiler, an object that cannot be compiled.",
    )
    .addOption(registryOption())
    .addOption(jsonOption())
    .addHelpText(
      "after",
      "\nExamples:\n  fairlead status\n  fairlead status --json | jq '.nacks[] | {node, reason, objects}'\n  fairlead status --registry http://10.0.0.2:13300",
    )
    .action(async (options: { registry: string; json?: boolean }) => {
      try {
        const status = await readMeshStatus(registryClient(options.registry));
        const nowMs = Date.now();
        if (options.json === true) writeJson(output, status);
        else {
          const style = outputStyle(output);
          output.out.write(`${statusTable(status, style, nowMs)}\n\n${statusSummary(status, style, nowMs)}\n`);
        }
        if (needsAttention(status, nowMs)) output.exitCode(1);
      } catch (error) {
        reportError(output, error, options.json === true);
      }
    });
}
