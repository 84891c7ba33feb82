import { policyKinds } from "@fairlead/model";
import { Argument, Command } from "commander";
import { removedPolicySchema } from "../registry/policies.ts";
import { previewDelete } from "../registry/preview-client.ts";
import { newlyRejected, previewText } from "../registry/preview-text.ts";
import { brokenBy, rejectionLines } from "../registry/rejections.ts";
import { timeoutMsOf, waitQuery } from "../registry/wait.ts";
import { styleFor } from "../terminal/style.ts";
import { type CommandOutput, outputStyle, reportError, writeJson } from "./output.ts";
import { jsonOption, registryClient, registryOption } from "./registry-option.ts";

interface DeleteOptions {
  readonly namespace: string;
  readonly registry: string;
  readonly dryRun?: boolean;
  readonly wait?: boolean;
  readonly timeout: string;
  readonly json?: boolean;
}

export function deleteCommand(output: CommandOutput): Command {
  return new Command("delete")
    .summary("remove a policy")
    .description(
      "Removes a policy. Exit code 1 with --wait when other policies cannot be compiled without it, or a proxy refuses the change;\n" +
        "with --dry-run when the compiler would not take them.",
    )
    .addArgument(new Argument("<kind>", "the policy's kind").choices(policyKinds))
    .argument("<name>", "metadata.name of the policy")
    .option("-n, --namespace <namespace>", "metadata.namespace of the policy", "default")
    .option("--dry-run", "remove nothing; show what would change, and for which proxies")
    .option("--wait", "answer once every proxy that the policy concerned has ACKed the change")
    .option("--timeout <time>", "how long --wait waits, e.g. 500ms, 10s, 2m", "10s")
    .addOption(registryOption())
    .addOption(jsonOption())
    .addHelpText(
      "after",
      "\nExamples:\n  fairlead delete VirtualService reviews --wait\n  fairlead delete DestinationRule reviews -n shop",
    )
    .action(async (kind: string, name: string, options: DeleteOptions) => {
      try {
        if (options.dryRun === true) {
          const { namespace } = options;
          const change = await previewDelete(registryClient(options.registry), { kind, namespace, name });
          if (options.json === true) return writeJson(output, change);
          output.out.write(`${previewText(change, outputStyle(output))}\n`);
          if (newlyRejected(change).length > 0) output.exitCode(1);
          return;
        }
        const path = [kind, options.namespace, name].map(encodeURIComponent).join("/");
        const removed = await registryClient(options.registry).call({
          method: "DELETE",
          path: `/v1/policies/${path}?${waitQuery(options).toString()}`,
          answer: removedPolicySchema,
          timeoutMs: timeoutMsOf(options),
        });
        const broken = brokenBy(removed);
        if (broken.length > 0) output.exitCode(1);
        if (options.json === true) return writeJson(output, removed);
        const convergence =
          removed.convergence === undefined ? "" : `, converged on ${removed.convergence.proxies} proxies`;
        output.out.write(`${kind} ${options.namespace}/${name}: deleted, revision ${removed.revision}${convergence}\n`);
        if (broken.length === 0) return;
        const lines = rejectionLines("deleted, and it breaks others", broken, styleFor(output.err));
        output.err.write(`${lines.join("\n")}\n`);
      } catch (error) {
        reportError(output, error, options.json === true);
      }
    });
}
