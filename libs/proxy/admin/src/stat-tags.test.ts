import assert from "node:assert/strict";
import { test } from "node:test";
import { prometheusText } from "./prometheus-stats.ts";
import { taggedStat } from "./stat-tags.ts";

const rendered = (name: string): string =>
  prometheusText({ numbers: new Map([[name, 1]]), histograms: new Map() })
    .split("\n")[1]!
    .replace(/ 1$/, "");

test("each statistic has Envoy's family and tags", () => {
  const table: readonly (readonly [name: string, metric: string])[] = [
    ["cluster.a.upstream_rq_503", 'envoy_cluster_upstream_rq{envoy_cluster_name="a",envoy_response_code="503"}'],
    ["cluster.a.upstream_rq_5xx", 'envoy_cluster_upstream_rq_xx{envoy_cluster_name="a",envoy_response_code_class="5"}'],
    ["cluster.a.ssl.handshake", 'envoy_cluster_ssl_handshake{envoy_cluster_name="a"}'],
    [
      "cluster.a.ssl.versions.TLSv1.3",
      'envoy_cluster_ssl_versions{envoy_cluster_name="a",envoy_ssl_version="TLSv1.3"}',
    ],
    [
      "cluster.a.ssl.ciphers.TLS_AES_128_GCM_SHA256",
      'envoy_cluster_ssl_ciphers{envoy_cluster_name="a",cipher_suite="TLS_AES_128_GCM_SHA256"}',
    ],
    ["cluster.a.ssl.curves.X25519", 'envoy_cluster_ssl_curves{envoy_cluster_name="a",envoy_ssl_curve="X25519"}'],
    [
      "cluster.shop.Orders.circuit_breakers.high.cx_open",
      'envoy_cluster_circuit_breakers_high_cx_open{envoy_cluster_name="shop.Orders"}',
    ],
    [
      "cluster.a.circuit_breakers.default.remaining_pending",
      'envoy_cluster_circuit_breakers_default_remaining_pending{envoy_cluster_name="a"}',
    ],
    ["cluster.a.http2.rx_reset", 'envoy_cluster_http2_rx_reset{envoy_cluster_name="a"}'],
    ["cluster.a.http2.membership_total", 'envoy_cluster_membership_total{envoy_cluster_name="a.http2"}'],
    ["cluster.a.ssl.http2.rx_reset", 'envoy_cluster_http2_rx_reset{envoy_cluster_name="a.ssl"}'],
    [
      "cluster.outbound|80||a.b.original_dst_host_invalid",
      'envoy_cluster_original_dst_host_invalid{envoy_cluster_name="outbound|80||a.b"}',
    ],
    ['cluster."\\.lb_healthy_panic', String.raw`envoy_cluster_lb_healthy_panic{envoy_cluster_name="\"\\"}`],
    ["cluster_manager.cds.update_success", "envoy_cluster_manager_cds_update_success"],
    [
      "http.in.downstream_rq_2xx",
      'envoy_http_downstream_rq_xx{envoy_http_conn_manager_prefix="in",envoy_response_code_class="2"}',
    ],
    ["http.in.gress.no_route", 'envoy_http_no_route{envoy_http_conn_manager_prefix="in.gress"}'],
    [
      "http.in.rds.routes/of.shop.update_success",
      'envoy_http_rds_update_success{envoy_http_conn_manager_prefix="in",envoy_rds_route_config="routes/of.shop"}',
    ],
    [
      "http.in.compressor.text.gzip.response.compressed",
      'envoy_http_compressor_text_gzip_response_compressed{envoy_http_conn_manager_prefix="in"}',
    ],
    [
      "http.in.limits.http_local_rate_limit.rate_limited",
      'envoy_http_local_rate_limit_rate_limited{envoy_http_conn_manager_prefix="in",envoy_local_http_ratelimit_prefix="limits"}',
    ],
    ["http.in.fault.aborts_injected", 'envoy_http_fault_aborts_injected{envoy_http_conn_manager_prefix="in"}'],
    [
      "http.in.fault.shop.delays_injected",
      'envoy_http_fault_delays_injected{envoy_http_conn_manager_prefix="in",envoy_fault_downstream_cluster="shop"}',
    ],
    ["http.in.tenant.denied.all", 'envoy_http_tenant_denied_all{envoy_http_conn_manager_prefix="in"}'],
    ["rpc.in.downstream_rq_total", 'envoy_rpc_downstream_rq_total{envoy_rpc_prefix="in"}'],
    [
      "vhost.shop.com.vcluster.orders.upstream_rq_2xx",
      'envoy_vhost_vcluster_upstream_rq_xx{envoy_virtual_host="shop.com",envoy_virtual_cluster="orders",envoy_response_code_class="2"}',
    ],
    ["tcp.in.a.idle_timeout", 'envoy_tcp_idle_timeout{envoy_tcp_prefix="in.a"}'],
    [
      "listener.10.0.0.1_80.downstream_cx_total",
      'envoy_listener_downstream_cx_total{envoy_listener_address="10.0.0.1_80"}',
    ],
    ["listener.edge.v1.ssl.handshake", 'envoy_listener_ssl_handshake{envoy_listener_address="edge.v1"}'],
    [
      "listener.0.0.0.0_80.ssl.ciphers.ECDHE-RSA-AES128-SHA",
      'envoy_listener_ssl_ciphers{envoy_listener_address="0.0.0.0_80",envoy_ssl_cipher="ECDHE-RSA-AES128-SHA"}',
    ],
    [
      "listener.0.0.0.0_80.server_ssl_socket_factory.downstream_context_secrets_not_ready",
      'envoy_listener_server_ssl_socket_factory_downstream_context_secrets_not_ready{envoy_listener_address="0.0.0.0_80"}',
    ],
    [
      "listener.::1_80.connection_limit.db.conns.active_connections",
      'envoy_connection_limit_active_connections{envoy_listener_address="::1_80",envoy_connection_limit_prefix="db.conns"}',
    ],
    [
      "listener.0.0.0.0_80.proxy_proto.versions.v2.found",
      'envoy_proxy_proto_found{envoy_listener_address="0.0.0.0_80",envoy_proxy_protocol_version="2"}',
    ],
    [
      "listener.0.0.0.0_80.proxy_proto.not_found_allowed",
      'envoy_proxy_proto_not_found_allowed{envoy_listener_address="0.0.0.0_80"}',
    ],
    [
      "listener.0.0.0.0_80.tls_inspector.sni_found",
      'envoy_tls_inspector_sni_found{envoy_listener_address="0.0.0.0_80"}',
    ],
    [
      "listener.0.0.0.0_80.tenant.count.of_all",
      'envoy_listener_tenant_count_of_all{envoy_listener_address="0.0.0.0_80"}',
    ],
    ["server.worker_1.watchdog_miss", 'envoy_server_watchdog_miss{envoy_worker_id="1"}'],
    ["server.live", "envoy_server_live"],
    [
      "overload.envoy.resource_monitors.fixed_heap.pressure",
      "envoy_overload_envoy_resource_monitors_fixed_heap_pressure",
    ],
  ];
  for (const [name, metric] of table) assert.equal(rendered(name), metric, name);
});

test("a family has one line of its type, however many statistics it has", () => {
  const numbers = new Map([
    ["cluster.a.ssl.versions.TLSv1.2", 1],
    ["cluster.a.ssl.versions.TLSv1.3", 2],
  ]);
  const text = prometheusText({ numbers, histograms: new Map() });
  assert.deepEqual(text.split("\n"), [
    "# TYPE envoy_cluster_ssl_versions counter",
    'envoy_cluster_ssl_versions{envoy_cluster_name="a",envoy_ssl_version="TLSv1.2"} 1',
    'envoy_cluster_ssl_versions{envoy_cluster_name="a",envoy_ssl_version="TLSv1.3"} 2',
    "",
  ]);
});

test("a name that is none of Envoy's is a family as it is", () => {
  assert.deepEqual(taggedStat("cluster"), { family: "cluster", tags: [] });
  assert.deepEqual(taggedStat("ads.ecds.update_success"), { family: "ads.ecds.update_success", tags: [] });
});
