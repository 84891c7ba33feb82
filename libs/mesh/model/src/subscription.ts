/**
 * What a node's application says that it calls. A node's subscriptions are its scope;
 * a node with none sees everything.
 */
export interface Subscription {
  readonly nodeId: string;
  readonly interface: string;
}

export function subscriptionKey(subscription: Subscription): string {
  return `${subscription.nodeId}|${subscription.interface}`;
}
