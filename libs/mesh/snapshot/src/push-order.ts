import { typeUrls } from "@fairlead/envoy-api";

/**
 * The order in which one change is sent: a proxy that has all responses up to any point of it never holds a
 * route to a cluster, or a cluster's endpoints before the cluster. Types that are not listed follow, by name.
 */
export const pushOrder: readonly string[] = [
  typeUrls.cluster,
  typeUrls.endpoint,
  typeUrls.listener,
  typeUrls.route,
  typeUrls.secret,
];
