import { globSync } from "node:fs";
import { join } from "node:path";
import type { ConfigDefinition } from "@fairlead/config";
import { generatedNote, table } from "./markdown.ts";

const repository = join(import.meta.dirname, "../../..");

function isDefinition(value: unknown): value is ConfigDefinition<Record<string, never>> {
  return typeof value === "object" && value !== null && "rows" in value && "app" in value;
}

/** The settings of each app, read from the definition that its `config.ts` exports. */
export async function configReference(): Promise<string> {
  const sections: string[] = [];
  for (const file of globSync("apps/*/src/config.ts", { cwd: repository }).toSorted()) {
    const module = (await import(join(repository, file))) as Record<string, unknown>;
    for (const definition of Object.values(module).filter(isDefinition)) {
      const rows = definition
        .rows()
        .map((row) => [`\`${row.variable}\``, row.default === "" ? "" : `\`${row.default}\``, row.description]);
      sections.push(`## ${definition.app}\n\n${table(["variable", "default", "what it does"], rows)}`);
    }
  }
  return `${generatedNote}
# Configuration

Each process reads its settings from the environment, once, at start. An empty variable counts as not set. A wrong value ends the process with exit code
64 and a line that names every variable that is wrong. Durations have a unit: \`250ms\`, \`10s\`, \`5m\`, \`1h\`.

${sections.join("\n\n")}
`;
}
