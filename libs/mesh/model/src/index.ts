export { type Catalogue, CatalogueReplica, type Change, type ChangeKind, keyOf } from "./catalogue.ts";
export { type Instance, type InstanceState, instanceKey } from "./instance.ts";
export { type MeshNode, isForeignProxy, isValidNodeId, nodeIdRule, proxyLabel, takesRpcCalls } from "./node.ts";
export { type PolicyObject, type PolicyKind, policyKey, policyKinds } from "./policy-object.ts";
export { type Protocol, protocols, type Service, serviceKey } from "./service.ts";
export { type Subscription, subscriptionKey } from "./subscription.ts";
