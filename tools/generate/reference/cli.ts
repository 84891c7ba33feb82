import { createProgram } from "@fairlead/fairlead";
import { generatedNote } from "./markdown.ts";

/** What `--help` prints, command by command. */
export async function cliReference(): Promise<string> {
  const program = createProgram();
  const sections = [program, ...program.commands].map((command) => {
    const name = command === program ? "fairlead" : `fairlead ${command.name()}`;
    let help = "";
    command.configureHelp({ helpWidth: 110 });
    command.configureOutput({ writeOut: (text) => (help += text), getOutHelpWidth: () => 110 });
    command.outputHelp();
    return `## ${name}\n\n\`\`\`text\n${help.trim()}\n\`\`\``;
  });
  return `${generatedNote}
# Command line

\`npm run fairlead -- <command>\`, or \`npx fairlead <command>\`, in this repository.

${sections.join("\n\n")}
`;
}
