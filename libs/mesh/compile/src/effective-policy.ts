import type { PortTrafficPolicy, Subset, TrafficPolicy } from "@fairlead/policy";

/** What a traffic policy says of one cluster, with the settings of its port and subset applied. */
export type EffectivePolicy = Omit<TrafficPolicy, "portLevelSettings" | "tunnel" | "proxyProtocol">;

function ofPort(policy: TrafficPolicy, port: number | undefined): EffectivePolicy {
  const { portLevelSettings = [], tunnel: _, proxyProtocol: __, ...whole } = policy;
  const own: PortTrafficPolicy | undefined =
    port === undefined ? undefined : portLevelSettings.find((candidate) => candidate.port.number === port);
  if (own === undefined) return whole;
  const { port: ___, ...settings } = own;
  // As in Istio: a port's settings replace the whole; what they leave out has its default.
  return whole.retryBudget === undefined ? settings : { ...settings, retryBudget: whole.retryBudget };
}

function given(policy: EffectivePolicy): EffectivePolicy {
  return Object.fromEntries(Object.entries(policy).filter(([, value]) => value !== undefined));
}

/** The rule's policy, in it that of its port, over it that of the subset, setting by setting. */
export function effectivePolicy(
  rule: TrafficPolicy | undefined,
  subset: Pick<Subset, "trafficPolicy"> | undefined,
  port: number | undefined,
): EffectivePolicy {
  return {
    ...(rule === undefined ? {} : given(ofPort(rule, port))),
    ...(subset?.trafficPolicy === undefined ? {} : given(ofPort(subset.trafficPolicy, port))),
  };
}
