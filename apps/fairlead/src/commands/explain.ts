import { callExplanationSchema } from "@fairlead/registration";
import { Command } from "commander";
import { explanationText, reachesAnApplication } from "../registry/explanation-text.ts";
import { type CommandOutput, outputStyle, reportError, writeJson } from "./output.ts";
import { jsonOption, registryClient, registryOption } from "./registry-option.ts";

interface ExplainOptions {
  readonly path: string;
  readonly method: string;
  readonly header: readonly string[];
  readonly from?: string;
  readonly registry: string;
  readonly json?: boolean;
}

/** For an option that may be given several times. */
const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value];

export function explainCommand(output: CommandOutput): Command {
  return new Command("explain")
    .summary("which way a call would take, and why")
    .description(
      "Walks a call through the configuration that is live, with the proxy's own matcher: virtual host, route, clusters, endpoints,\n" +
        "each with the policy (file and line), service or instance that it comes from. Nothing is called.\n" +
        "Exit code 1 when the call would not reach an application.",
    )
    .argument("<interface>", "what is called: the Host of the call")
    .option("--path <path>", "with its query", "/")
    .option("--method <method>", "of the request", "GET")
    .option("--header <name=value>", "a header of the request; may be given several times", collect, [])
    .option("--from <node>", "the node whose proxy is called through (default: one that sees everything)")
    .addOption(registryOption())
    .addOption(jsonOption())
    .addHelpText(
      "after",
      "\nExamples:\n  fairlead explain shop.Reviews --path /reviews/7\n  fairlead explain shop.Reviews --header x-user=jason --from sidecar~web-1",
    )
    .action(async (name: string, options: ExplainOptions) => {
      try {
        const query = new URLSearchParams({ interface: name, path: options.path, method: options.method });
        if (options.from !== undefined) query.set("node", options.from);
        for (const header of options.header) query.append("header", header);
        const explanation = await registryClient(options.registry).call({
          path: `/v1/explain?${query.toString()}`,
          answer: callExplanationSchema,
          timeoutMs: 30_000,
        });
        if (options.json === true) writeJson(output, explanation);
        else output.out.write(`${explanationText(explanation, outputStyle(output))}\n`);
        if (!reachesAnApplication(explanation)) output.exitCode(1);
      } catch (error) {
        reportError(output, error, options.json === true);
      }
    });
}
