import { typeUrls } from "@fairlead/envoy-api";
import type { ResourceState, TypeInForce } from "@fairlead/proxy-runtime";
import type { AdsState } from "@fairlead/proxy-xds-client";
import type { DumpItem, DumpList, DumpSection } from "./dump-section.ts";
import { ResourceItems, timestamp } from "./resource-items.ts";

export interface DumpSource {
  readonly node: { readonly id: string; readonly app: string; readonly labels: Readonly<Record<string, string>> };
  readonly startedAtMs: number;
  readonly types: readonly TypeInForce[];
  readonly ads: AdsState;
}

const REQUESTED = { client_status: "REQUESTED" };

/**
 * The messages of Envoy's `envoy.admin.v3.ConfigDump`, in Envoy's order. All is dynamic: it comes over ADS. One that was refused and
 * has no version in force is where those are that do not serve yet.
 */
export function configSections(source: DumpSource, withEndpoints: boolean): readonly DumpSection[] {
  const of = (typeUrl: string): ResourceItems => new ResourceItems(typeUrl, source.types, source.ads);
  return [
    bootstrap(source),
    clusters(of(typeUrls.cluster)),
    ...(withEndpoints ? [endpoints(of(typeUrls.endpoint))] : []),
    listeners(of(typeUrls.listener)),
    routes(of(typeUrls.route)),
    secrets(of(typeUrls.secret)),
  ];
}

const none = (field: string, itemMessage: string): DumpList => ({ field, itemMessage, items: [] });

function inState(items: ResourceItems, state: ResourceState, field: string): DumpItem[] {
  return items.inForce.filter((one) => one.state === state).map((one) => items.found(one, field));
}

/** What Envoy is started with, as far as there is something like it here. */
function bootstrap({ node: { id, app, labels }, startedAtMs }: DumpSource): DumpSection {
  const overAds = { ads: {}, resource_api_version: "V3" };
  return {
    message: "BootstrapConfigDump",
    fields: {
      bootstrap: {
        node: { id, cluster: app, metadata: { labels }, user_agent_name: "fairlead" },
        dynamic_resources: { cds_config: overAds, lds_config: overAds },
      },
      last_updated: timestamp(startedAtMs),
    },
    lists: [],
  };
}

function clusters(items: ResourceItems): DumpSection {
  const refused = items.refused.map((name) => items.nameOnly(name, "cluster"));
  const list = (field: string, all: DumpItem[]): DumpList => ({ field, itemMessage: "DynamicCluster", items: all });
  return {
    message: "ClustersConfigDump",
    fields: items.version,
    lists: [
      none("static_clusters", "StaticCluster"),
      list("dynamic_active_clusters", inState(items, "active", "cluster")),
      list("dynamic_warming_clusters", [...inState(items, "warming", "cluster"), ...refused]),
    ],
  };
}

function endpoints(items: ResourceItems): DumpSection {
  const refused = items.refused.map((name) => items.nameOnly(name, "endpoint_config"));
  return {
    message: "EndpointsConfigDump",
    fields: {},
    lists: [
      none("static_endpoint_configs", "StaticEndpointConfig"),
      {
        field: "dynamic_endpoint_configs",
        itemMessage: "DynamicEndpointConfig",
        items: [...inState(items, "active", "endpoint_config"), ...refused],
      },
    ],
  };
}

function listeners(items: ResourceItems): DumpSection {
  const found = items.inForce.map(({ name, body, state }) => ({
    name,
    json: () => ({ name, [`${state}_state`]: items.state(body, name, "listener"), ...items.verdict(name) }),
  }));
  const refused = items.refused.map((name) => ({ name, json: () => ({ name, ...items.verdict(name) }) }));
  return {
    message: "ListenersConfigDump",
    fields: items.version,
    lists: [
      none("static_listeners", "StaticListener"),
      { field: "dynamic_listeners", itemMessage: "DynamicListener", items: [...found, ...refused] },
    ],
  };
}

function routes(items: ResourceItems): DumpSection {
  const refused = items.refused.map((name) => items.nameOnly(name, "route_config"));
  return {
    message: "RoutesConfigDump",
    fields: {},
    lists: [
      none("static_route_configs", "StaticRouteConfig"),
      {
        field: "dynamic_route_configs",
        itemMessage: "DynamicRouteConfig",
        items: [...inState(items, "active", "route_config"), ...refused],
      },
    ],
  };
}

function secrets(items: ResourceItems): DumpSection {
  const refused = new Set(items.refused);
  const awaited = [
    ...[...refused].map((name) => items.nameOnly(name, "secret")),
    ...items.missing.filter((name) => !refused.has(name)).map((name) => items.nameOnly(name, "secret", REQUESTED)),
  ];
  const list = (field: string, all: readonly DumpItem[]): DumpList => ({
    field,
    itemMessage: "DynamicSecret",
    items: all.map(({ name, json }) => ({ name, json: () => ({ name, ...json() }) })),
  });
  return {
    message: "SecretsConfigDump",
    fields: {},
    lists: [
      none("static_secrets", "StaticSecret"),
      list("dynamic_active_secrets", inState(items, "active", "secret")),
      list("dynamic_warming_secrets", awaited),
    ],
  };
}
