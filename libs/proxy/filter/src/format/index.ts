export { compileJsonFormat } from "./json-format.ts";
export { isResponseFlag } from "./response-flags.ts";
export { compileTextFormat, defaultTextFormat, type LogFormat } from "./text-format.ts";
