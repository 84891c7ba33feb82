import type { Cluster } from "@fairlead/proxy-upstream";
import type { LocalReply } from "./local-reply.ts";
import type { RouterFilterContext } from "./router-filter-context.ts";

/** What a request gets that the assignment's `drop_overloads` turns away; undefined = it goes on. */
export function dropOverload(
  cluster: Cluster,
  { random, suppressEnvoyHeaders }: Pick<RouterFilterContext, "random" | "suppressEnvoyHeaders">,
): LocalReply | undefined {
  const share = cluster.dropOverload;
  if (share === 0 || random() >= share) return undefined;
  cluster.stats.upstream_rq_drop_overload++;
  cluster.stats.countStatus(503);
  const all = share >= 1;
  const header = all ? "x-envoy-unconditional-drop-overload" : "x-envoy-drop-overload";
  return {
    status: 503,
    body: all ? "unconditional drop overload" : "drop overload",
    details: all ? "unconditional_drop_overload" : "drop_overload",
    flag: all ? "UDO" : "DO",
    headers: suppressEnvoyHeaders ? [] : [header, "true"],
  };
}
