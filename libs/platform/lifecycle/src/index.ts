export {
  type CommandLine,
  type CommandOption,
  type CommandSyntax,
  endWrongUsage,
  readCommandLine,
} from "./command-line.ts";
export { flag, oneOf, someOf, text, wholeNumber, wholeNumbers } from "./command-options.ts";
export { type Module, ModuleGroup } from "./module.ts";
export { runMain } from "./run-main.ts";
