import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fieldUseOf } from "./testing/field-reads.ts";

const NAME = "a name of the configuration's own";
const NO_RUNTIME = "there is no runtime: what it would override counts";
const METADATA = "it is for those who read the configuration";

/**
 * What is accepted and has no effect, with the reason; docs/reference/proxy.md says the same. A field that gets an effect leaves the list, and
 * one that is neither here nor read makes the test fail: refuse it by name.
 */
const inert: Readonly<Record<string, string>> = {
  "envoy.config.accesslog.v3.AccessLog.name": NAME,
  "envoy.config.cluster.v3.Cluster.TransportSocketMatch.name": NAME,
  "envoy.config.cluster.v3.Cluster.CustomClusterType.name": NAME,
  "envoy.config.listener.v3.Filter.name": NAME,
  "envoy.config.listener.v3.ListenerFilter.name": NAME,
  "envoy.config.listener.v3.FilterChain.metadata": METADATA,
  "envoy.config.listener.v3.Listener.metadata": METADATA,
  "envoy.config.route.v3.RouteConfiguration.metadata": METADATA,
  "envoy.config.listener.v3.Listener.traffic_direction": METADATA,
  "envoy.config.accesslog.v3.RuntimeFilter.runtime_key": NO_RUNTIME,
  "envoy.config.core.v3.RuntimeDouble.runtime_key": NO_RUNTIME,
  "envoy.config.core.v3.RuntimeFeatureFlag.runtime_key": NO_RUNTIME,
  "envoy.config.core.v3.RuntimeFractionalPercent.runtime_key": NO_RUNTIME,
  "envoy.config.core.v3.RuntimeUInt32.runtime_key": NO_RUNTIME,
  "envoy.config.route.v3.RateLimit.disable_key": NO_RUNTIME,
  "envoy.config.route.v3.WeightedCluster.runtime_key_prefix": NO_RUNTIME,
  "envoy.extensions.filters.http.fault.v3.HTTPFault.abort_grpc_status_runtime": NO_RUNTIME,
  "envoy.extensions.filters.http.fault.v3.HTTPFault.abort_http_status_runtime": NO_RUNTIME,
  "envoy.extensions.filters.http.fault.v3.HTTPFault.abort_percent_runtime": NO_RUNTIME,
  "envoy.extensions.filters.http.fault.v3.HTTPFault.delay_duration_runtime": NO_RUNTIME,
  "envoy.extensions.filters.http.fault.v3.HTTPFault.delay_percent_runtime": NO_RUNTIME,
  "envoy.extensions.filters.http.fault.v3.HTTPFault.max_active_faults_runtime": NO_RUNTIME,
  "envoy.extensions.filters.http.fault.v3.HTTPFault.response_rate_limit_percent_runtime": NO_RUNTIME,
  "envoy.config.accesslog.v3.RuntimeFilter.use_independent_randomness": "it always is",
  "envoy.config.cluster.v3.Cluster.CommonLbConfig.ignore_new_hosts_until_first_hc": "they always are",
  "envoy.config.cluster.v3.Cluster.CommonLbConfig.update_merge_window": "each assignment is applied at once",
  "envoy.config.cluster.v3.Cluster.RefreshRate.max_interval": "each failure is followed by the same pause",
  "envoy.config.core.v3.ConfigSource.authorities": "all resources come from the one ADS stream",
  "envoy.config.core.v3.ConfigSource.initial_fetch_timeout": "the ADS stream has one for all resources",
  "envoy.config.core.v3.ConfigSource.resource_api_version": "there is no other than v3",
  "envoy.config.core.v3.DataSource.watched_directory": "files are looked at every 5 s",
  "envoy.extensions.transport_sockets.tls.v3.CertificateValidationContext.watched_directory":
    "files are looked at every 5 s",
  "envoy.extensions.transport_sockets.tls.v3.TlsCertificate.watched_directory": "files are looked at every 5 s",
  "envoy.config.core.v3.Http1ProtocolOptions.use_balsa_parser": "the parser is our own",
  "envoy.config.endpoint.v3.ClusterLoadAssignment.Policy.DropOverload.category": NAME,
  "envoy.config.endpoint.v3.LocalityLbEndpoints.proximity": "Envoy does nothing with it either",
  "envoy.config.endpoint.v3.LocalityLbEndpoints.metadata": "that of hosts counts",
  "envoy.config.listener.v3.Listener.enable_reuse_port": "all threads share the socket of the main one",
  "envoy.config.route.v3.Route.decorator": "there is no tracing",
  "envoy.config.route.v3.RouteAction.RequestMirrorPolicy.trace_sampled": "there is no tracing",
  "envoy.config.route.v3.Route.stat_prefix": "nothing is counted by route",
  "envoy.config.route.v3.RouteAction.early_data_policy": "there is no 0-RTT",
  "envoy.config.route.v3.WeightedCluster.total_weight": "the sum of the weights counts, as in Envoy",
  "envoy.extensions.filters.http.fault.v3.HTTPFault.disable_downstream_cluster_stats": "nothing is counted by client",
  "envoy.extensions.filters.http.router.v3.Router.dynamic_stats": "clusters are always counted",
  "envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector.initial_read_buffer_size":
    "what has come is looked at as it is",
  "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.InternalAddressConfig.unix_sockets":
    "no listener is on one",
  "envoy.extensions.transport_sockets.tls.v3.SubjectAltNameMatcher.oid": "of OTHER_NAME alone, which is refused",
  "envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext.disable_stateful_session_resumption":
    "sessions are never kept here",
};

const use = fieldUseOf(join(import.meta.dirname, ".."));

/** Also those of messages without a list of what is accepted: they have all of their fields. */
const accepted = new Set(use.accepted);
for (const [message, { fields }] of use.messages)
  if (!use.checked.has(message)) for (const field of fields) accepted.add(field);

test("a field that is accepted is read by the translation, or known to have no effect", () => {
  assert(use.accepted.size > 500, "the sources were looked at");
  const ignored = [...accepted].filter((field) => !use.read.has(field) && inert[field] === undefined);
  assert.deepEqual(ignored, []);
});

test("what is known to have no effect is accepted, and has none", () => {
  const wrong = Object.keys(inert).filter((field) => !accepted.has(field) || use.read.has(field));
  assert.deepEqual(wrong, []);
});

test("the reference names all that has no effect", () => {
  const page = readFileSync(join(import.meta.dirname, "../../../../../docs/reference/proxy.md"), "utf8");
  const section = page.slice(page.indexOf("## Without effect"));
  const missing = Object.keys(inert).filter((field) => !section.includes(field.slice(field.lastIndexOf(".") + 1)));
  assert.deepEqual(missing, []);
});
