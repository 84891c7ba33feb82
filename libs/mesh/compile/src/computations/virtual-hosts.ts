import { computation } from "@fairlead/incremental";
import { type EncodedVirtualHost, encodedVirtualHost } from "../outbound-routes.ts";
import type { ServicePlan } from "../service-plan.ts";
import { clusterPlan } from "./clusters.ts";
import { type Contribution, contribution } from "./contribution.ts";
import { routesOf } from "./virtual-services.ts";

/** A service with all that policies say of it. Key: the service's. */
export const servicePlan = computation("service plan", (reading, key): ServicePlan | undefined => {
  const plan = reading.get(clusterPlan, key);
  return plan === undefined ? undefined : { ...plan, routes: reading.get(routesOf, key) };
});

interface VirtualHostContribution extends Contribution {
  readonly host?: EncodedVirtualHost;
}

/** The way to a service as proxies see it; without a host when there never was one that could be made. Key: the service's. */
export const proxyVirtualHost = contribution<VirtualHostContribution>(
  "virtual host",
  (key) => ({ kind: "service", key }),
  (reading, key) => {
    const plan = reading.get(servicePlan, key);
    return plan === undefined ? {} : { host: encodedVirtualHost(plan, "proxies") };
  },
);
