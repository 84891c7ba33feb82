import { computation } from "@fairlead/incremental";
import { isForeignProxy } from "@fairlead/model";
import { envoyRpcListener } from "../envoy-rpc-listener.ts";
import { type Contribution, contribution } from "./contribution.ts";
import { nodes } from "./facts.ts";
import { rpcCalleesOfScope, routesScope, scopeOfNode } from "./scopes.ts";
import { hostPlan } from "./virtual-hosts.ts";

/** The listener for Dubbo and bolt of a node whose proxy is an unmodified Envoy. Key: the node's id. */
const envoyRpc = contribution<Contribution>(
  "RPC listener of an Envoy",
  (key) => ({ kind: "node", key }),
  (reading, id) => {
    const node = reading.get(nodes, id);
    if (node?.outboundRpcPort === undefined || !isForeignProxy(node)) return {};
    const callees = reading.get(rpcCalleesOfScope, routesScope(reading.get(scopeOfNode, id)));
    const plans = callees.flatMap((key) => reading.get(hostPlan, key) ?? []);
    const listener = envoyRpcListener(node, node.outboundRpcPort, plans);
    return listener === undefined ? {} : { resources: [listener] };
  },
);

/** Key: the node's id. */
export const envoyRpcKeys = computation("keys of an Envoy's RPC listener", (reading, id): readonly string[] =>
  (reading.get(envoyRpc, id).resources ?? []).map(({ key }) => key),
);
