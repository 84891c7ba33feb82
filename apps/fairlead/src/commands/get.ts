import { Argument, Command } from "commander";
import { z } from "zod";
import { listAll } from "../registry/list-all.ts";
import { renderTable } from "../terminal/table.ts";
import { type CommandOutput, reportError, writeJson } from "./output.ts";
import { jsonOption, registryClient, registryOption } from "./registry-option.ts";

/** What can be listed: columns by name, each from one row of the API's answer. */
const lists = {
  services: ["interface", "protocol"],
  instances: ["interface", "nodeId", "protocol", "port", "state", "weight", "labels"],
  nodes: ["id", "app", "address", "inboundPort", "outboundPort", "labels"],
  policies: ["kind", "namespace", "name", "file", "line"],
} as const;
type ListName = keyof typeof lists;

function cell(value: unknown): string {
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return String(value);
  if (typeof value !== "object" || value === null) return "-";
  const entries = Object.entries(value).map(([name, inner]) => `${name}=${String(inner)}`);
  return entries.length === 0 ? "-" : entries.join(",");
}

export function getCommand(output: CommandOutput): Command {
  return new Command("get")
    .summary("list what is registered or applied")
    .description("Lists services, instances, nodes or policies as registry-sync has them.")
    .addArgument(new Argument("<what>", "what to list").choices(Object.keys(lists)))
    .addOption(registryOption())
    .addOption(jsonOption())
    .addHelpText(
      "after",
      "\nExamples:\n  fairlead get instances\n  fairlead get policies --json | jq -r '.policies[].text'",
    )
    .action(async (what: ListName, options: { registry: string; json?: boolean }) => {
      try {
        const items = await listAll(registryClient(options.registry), what, z.record(z.string(), z.unknown()));
        if (options.json === true) return writeJson(output, { [what]: items });
        const columns = lists[what];
        const rows = items.map((row) => columns.map((column) => cell(row[column])));
        output.out.write(
          `${renderTable(
            columns.map((column) => column.toUpperCase()),
            rows,
          )}\n`,
        );
      } catch (error) {
        reportError(output, error, options.json === true);
      }
    });
}
