import { computation } from "@fairlead/incremental";
import { calleeKey } from "../callee.ts";
import { apiListener } from "../listeners.ts";
import { speaksHttp2 } from "../names.ts";
import { apiRoutes } from "../outbound-routes.ts";
import { anyViewer } from "../viewer.ts";
import { clusterNames } from "./clusters.ts";
import { type Contribution, contribution } from "./contribution.ts";
import { calleeOf, servicesCalled } from "./services.ts";
import { hostPlan } from "./virtual-hosts.ts";

/** Whether the API listener of the interface is this service's. gRPC clients dial a name, not a protocol: grpc comes before http2. */
const isApiOwner = computation("API owner", (reading, key): boolean => {
  const service = reading.get(calleeOf, key);
  if (service === undefined || !speaksHttp2(service.protocol) || service.port !== undefined) return false;
  if (service.protocol === "grpc") return true;
  return !reading
    .get(servicesCalled, service.interface.toLowerCase())
    .some(
      (other) =>
        other.protocol === "grpc" &&
        other.interface === service.interface &&
        reading.get(clusterNames, calleeKey(other)).length > 0,
    );
});

/**
 * The listener and routes of a service for proxyless gRPC clients, as one sees them that no policy tells from others; none for a service
 * that is not for them. Key: the service's.
 */
export const apiResources = contribution<Contribution>(
  "API listener and routes",
  (key) => ({ kind: "service", key }),
  (reading, key) => {
    if (!reading.get(isApiOwner, key) || reading.get(clusterNames, key).length === 0) return { resources: [] };
    const plan = reading.get(hostPlan, `${key}\n${anyViewer}`)!;
    const service = reading.get(calleeOf, key)!;
    return { resources: [apiListener(service), apiRoutes(plan)] };
  },
);

/** The keys of those resources. */
export const apiKeys = computation("API keys", (reading, key): readonly string[] =>
  (reading.get(apiResources, key).resources ?? []).map((resource) => resource.key),
);
