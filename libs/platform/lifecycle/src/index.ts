export { type Module, ModuleGroup } from "./module.ts";
export { runMain } from "./run-main.ts";
export { collectStartGarbage } from "./start-garbage.ts";
