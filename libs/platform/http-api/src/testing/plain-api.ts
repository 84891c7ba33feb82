import { createLogger } from "@fairlead/logging";
import { createHttpApi, type HttpApi } from "../index.ts";

/** An API that is ready and has nothing but what all have; not listening yet. */
export async function plainApi(): Promise<HttpApi> {
  return await createHttpApi({
    name: "test",
    description: "",
    logger: createLogger({ service: "test", level: "silent" }),
    telemetry: { serveMetrics: (_request, response) => response.end() },
    readiness: () => ({ waitingFor: [] }),
  });
}
