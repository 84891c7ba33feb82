/** What a control plane says of a resource for others than this proxy: JSON by namespace and key (Envoy's `filter_metadata`). */
export type ResourceMetadata = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** Of a route and its virtual host. */
export interface RouteMetadata {
  readonly route: ResourceMetadata | undefined;
  readonly virtualHost: ResourceMetadata | undefined;
}
