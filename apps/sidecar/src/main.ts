import { runReplaceable } from "@fairlead/hot-restart";
import { sidecarConfig } from "./config.ts";

await runReplaceable({
  service: "sidecar",
  config: sidecarConfig,
  main: import.meta.filename,
  serve: async (...serving) => (await import("./serve.ts")).serve(...serving),
});
