import { computation } from "@fairlead/incremental";
import type { Callee } from "../callee.ts";
import { outboundClusters } from "../cluster.ts";
import type { RenderedResource } from "../compiled.ts";
import { externalAssignment } from "../load-assignment.ts";
import { outboundClusterName } from "../names.ts";
import type { PlannedTarget, ServicePlan } from "../service-plan.ts";
import { anyViewer, Sight } from "../viewer.ts";
import { type Contribution, contribution } from "./contribution.ts";
import { all } from "./facts.ts";

/** What no interface and no host can be called. */
export const missingHost = "missing~destination";

const missingService: Callee = { interface: missingHost, protocol: "http" };

/** Where calls go whose destination is not there: to a cluster without endpoints, so that they get 503. As in Istio, nobody else gets them. */
export const missingTarget: PlannedTarget = { service: missingService, subset: "" };

export const missingClusterName = outboundClusterName(missingService);

/** The cluster and its endpoints. It is there for who leads to it. Key: all. */
export const missingDestination = contribution<Contribution>(
  "missing destination",
  () => ({ kind: "service", key: missingHost }),
  () => ({ resources: missingResources() }),
);

/** The keys of both. Key: all. */
export const missingKeys = computation("keys of the missing destination", (reading): readonly string[] =>
  (reading.get(missingDestination, all).resources ?? []).map(({ key }) => key),
);

function missingResources(): RenderedResource[] {
  const whole = { name: "", labels: {}, policy: {} };
  const plan: ServicePlan = {
    service: missingService,
    viewerId: "",
    external: undefined,
    provenance: { kind: "service", key: missingHost },
    whole,
    subsets: [],
    ruleProvenance: [],
  };
  const view = { plan, part: whole, viewerId: "", sight: new Sight(anyViewer) };
  return [...outboundClusters(plan), externalAssignment(view, [])];
}
