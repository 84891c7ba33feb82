import { superviseOrServe } from "@fairlead/hot-restart";
import { runMain } from "@fairlead/lifecycle";
import { createLogger } from "@fairlead/logging";
import { edgeGatewayConfig } from "./config.ts";

await runMain(async () => {
  const config = edgeGatewayConfig.load();
  const logger = createLogger({ service: "edge-gateway", level: config.logLevel });
  const module = await superviseOrServe({
    logger,
    config,
    main: import.meta.filename,
    serve: async (process) => (await import("./serve.ts")).serve(config, logger, process),
  });
  return { logger, module };
});
