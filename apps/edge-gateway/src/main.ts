import { runReplaceable } from "@fairlead/hot-restart";
import { edgeGatewayConfig } from "./config.ts";

await runReplaceable({
  service: "edge-gateway",
  config: edgeGatewayConfig,
  main: import.meta.filename,
  serve: async (...serving) => (await import("./serve.ts")).serve(...serving),
});
