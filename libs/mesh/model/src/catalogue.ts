import { instanceKey, type Instance } from "./instance.ts";
import type { MeshNode } from "./node.ts";
import { policyKey, type PolicyObject } from "./policy-object.ts";
import { serviceKey, type Service } from "./service.ts";
import { subscriptionKey, type Subscription } from "./subscription.ts";

/** Everything that is registered, at one revision. Maps are keyed by the `…Key` function of their type. */
export interface Catalogue {
  readonly revision: number;
  readonly nodes: ReadonlyMap<string, MeshNode>;
  readonly services: ReadonlyMap<string, Service>;
  readonly instances: ReadonlyMap<string, Instance>;
  readonly subscriptions: ReadonlyMap<string, Subscription>;
  readonly policies: ReadonlyMap<string, PolicyObject>;
}

/** One row of the change log: the new value of an object, or its removal. Several rows may share a revision. */
export type Change = {
  readonly revision: number;
  readonly key: string;
  /** W3C trace context of the request that made it. */
  readonly traceparent?: string | undefined;
} & (
  | { readonly kind: "node"; readonly value: MeshNode | undefined }
  | { readonly kind: "service"; readonly value: Service | undefined }
  | { readonly kind: "instance"; readonly value: Instance | undefined }
  | { readonly kind: "subscription"; readonly value: Subscription | undefined }
  | { readonly kind: "policy"; readonly value: PolicyObject | undefined }
);
export type ChangeKind = Change["kind"];

const collectionOf = {
  node: "nodes",
  service: "services",
  instance: "instances",
  subscription: "subscriptions",
  policy: "policies",
} as const satisfies Record<ChangeKind, keyof Catalogue>;

/** A catalogue that follows the change log. A change costs the same whatever the size of the mesh. */
export class CatalogueReplica implements Catalogue {
  revision = 0;
  readonly nodes = new Map<string, MeshNode>();
  readonly services = new Map<string, Service>();
  readonly instances = new Map<string, Instance>();
  readonly subscriptions = new Map<string, Subscription>();
  readonly policies = new Map<string, PolicyObject>();

  /** Applies one change; a change that is already in the replica may be applied again. */
  apply(change: Change): void {
    const collection = this[collectionOf[change.kind]] as Map<string, NonNullable<Change["value"]>>;
    if (change.value === undefined) collection.delete(change.key);
    else collection.set(change.key, change.value);
    this.revision = Math.max(this.revision, change.revision);
  }

  /** Replaces everything, at start and where the change log no longer reaches back far enough. */
  reset(catalogue: Catalogue): void {
    for (const collection of Object.values(collectionOf)) {
      const own = this[collection] as Map<string, unknown>;
      own.clear();
      for (const [key, value] of catalogue[collection]) own.set(key, value);
    }
    this.revision = catalogue.revision;
  }
}

/** The key that the value of a change has in its map. */
export function keyOf(change: { kind: ChangeKind; value: NonNullable<Change["value"]> }): string {
  switch (change.kind) {
    case "node":
      return (change.value as MeshNode).id;
    case "service":
      return serviceKey(change.value as Service);
    case "instance":
      return instanceKey(change.value as Instance);
    case "subscription":
      return subscriptionKey(change.value as Subscription);
    case "policy":
      return policyKey(change.value as PolicyObject);
  }
}
