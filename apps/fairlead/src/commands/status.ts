import { Command } from "commander";
import { type ProxyReport, proxyReportSchema } from "../registry/proxy-report.ts";
import { statusSummary, statusTable } from "../registry/status-table.ts";
import { type CommandOutput, outputStyle, reportError, writeJson } from "./output.ts";
import { jsonOption, registryClient, registryOption } from "./registry-option.ts";

/** Whether anybody has to look: a refused configuration, or a gateway that does not answer. */
export function needsAttention(report: ProxyReport): boolean {
  return (
    report.gateways.some((gateway) => gateway.error !== undefined) ||
    report.proxies.some((proxy) => proxy.types.some(({ state }) => state === "NACKED"))
  );
}

export function statusCommand(output: CommandOutput): Command {
  return new Command("status")
    .summary("what each proxy has of its configuration")
    .description(
      "Shows each proxy, its gateway, and each type of configuration: version, and whether the proxy ACKed it, or why it did not.\n" +
        "Exit code 1 when a proxy refused something (NACKED) or a gateway does not answer.",
    )
    .addOption(registryOption())
    .addOption(jsonOption())
    .addHelpText(
      "after",
      "\nExamples:\n  fairlead status\n  fairlead status --json | jq '.proxies[] | select(.types[].state == \"NACKED\")'\n  fairlead status --registry http://10.0.0.2:13300",
    )
    .action(async (options: { registry: string; json?: boolean }) => {
      try {
        const report = await registryClient(options.registry).call({ path: "/v1/proxies", answer: proxyReportSchema });
        if (options.json === true) writeJson(output, report);
        else {
          const style = outputStyle(output);
          output.out.write(`${statusTable(report, style, Date.now())}\n\n${statusSummary(report, style)}\n`);
        }
        if (needsAttention(report)) output.exitCode(1);
      } catch (error) {
        reportError(output, error, options.json === true);
      }
    });
}
