import type { XdsRejection, XdsResource } from "../xds-resource.ts";

export type ResourceState = "active" | "warming" | "draining";

/** One resource that is in force, or will be. */
export interface ResourceInForce extends XdsResource {
  readonly state: ResourceState;
}

/** What a proxy has of one xDS type. Only references: `resourceJson` makes of a body what can be read. */
export interface TypeInForce {
  readonly typeUrl: string;
  readonly resources: readonly ResourceInForce[];
  /** What the last response of the type had that was not applied. */
  readonly rejections: readonly XdsRejection[];
  /** What is asked for by name and has not come; told of secrets only. */
  readonly missing: readonly string[];
}
