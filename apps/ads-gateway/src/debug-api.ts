import type { HttpApi } from "@fairlead/http-api";
import { addConfig } from "./debug/config.ts";
import { addConnections } from "./debug/connections.ts";
import type { DebugSources } from "./debug/debug-sources.ts";
import { addEndpointz } from "./debug/endpointz.ts";
import { addPushStatus } from "./debug/push-status.ts";
import { addRegistryz } from "./debug/registryz.ts";
import { addSyncz } from "./debug/syncz.ts";

/** What the gateway knows, for operators, the command line and the console; the paths are those of Istio's Pilot. */
export function addDebugRoutes(api: HttpApi, sources: DebugSources): void {
  addSyncz(api, sources);
  addConnections(api, sources);
  addConfig(api, sources);
  addEndpointz(api, sources);
  addRegistryz(api, sources);
  addPushStatus(api, sources);
}
