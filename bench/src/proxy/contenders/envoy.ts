import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ProxyCase, serviceName } from "../proxy-case.ts";
import { type Contender, type ContenderInput, idleEndpoints } from "./contender.ts";

const http2Protocol = {
  "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
    "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
    explicit_http_config: { http2_protocol_options: {} },
  },
};

function clusterOf(name: string, endpoints: readonly { address: string; port: number }[], http2: boolean): object {
  return {
    name,
    type: "STATIC",
    connect_timeout: "5s",
    ...(http2 ? { typed_extension_protocol_options: http2Protocol } : {}),
    load_assignment: {
      cluster_name: name,
      endpoints: [
        {
          lb_endpoints: endpoints.map(({ address, port }) => ({
            endpoint: { address: { socket_address: { address, port_value: port } } },
          })),
        },
      ],
    },
  };
}

function virtualHostOf(domain: string, cluster: string): object {
  return {
    name: domain,
    domains: [domain],
    routes: [
      {
        match: { prefix: "/" },
        route: {
          cluster,
          timeout: "15s",
          retry_policy: { retry_on: "connect-failure,refused-stream,unavailable,cancelled,503", num_retries: 2 },
        },
      },
    ],
  };
}

function tlsOf({ chain, key }: ContenderInput["certificate"]): object {
  return {
    name: "envoy.transport_sockets.tls",
    typed_config: {
      "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
      common_tls_context: {
        alpn_protocols: ["http/1.1"],
        tls_certificates: [{ certificate_chain: { filename: chain }, private_key: { filename: key } }],
      },
    },
  };
}

function configOf(what: ProxyCase, input: ContenderInput): object {
  const more = Array.from({ length: input.moreClusters }, (_none, i) => `more-${i}`);
  const http2 = what.client !== "http1";
  const log = {
    name: "envoy.access_loggers.file",
    typed_config: {
      "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
      path: join(input.folder, "access.log"),
    },
  };
  const manager = {
    "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
    stat_prefix: "outbound",
    access_log: what.accessLog ? [log] : [],
    route_config: {
      name: "outbound",
      virtual_hosts: [virtualHostOf(serviceName, "b"), ...more.map((name) => virtualHostOf(name, name))],
    },
    http_filters: [
      {
        name: "envoy.filters.http.router",
        typed_config: { "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" },
      },
    ],
  };
  const endpoints = idleEndpoints(input.endpointsOfEach);
  return {
    static_resources: {
      listeners: [
        {
          name: "outbound",
          address: { socket_address: { address: "127.0.0.1", port_value: input.port } },
          filter_chains: [
            {
              ...(what.tls ? { transport_socket: tlsOf(input.certificate) } : {}),
              filters: [{ name: "envoy.filters.network.http_connection_manager", typed_config: manager }],
            },
          ],
        },
      ],
      clusters: [
        clusterOf("b", [{ address: "127.0.0.1", port: input.backendPort }], http2),
        ...more.map((name) => clusterOf(name, endpoints, http2)),
      ],
    },
  };
}

/** @param found the binary, or why there is none */
export function envoy(
  found: { readonly binary: string; readonly version: string } | { readonly missing: string },
): Contender {
  const missing = "missing" in found ? found.missing : undefined;
  return {
    name: "Envoy",
    note: "version" in found ? found.version : undefined,
    missing,
    takes: () => true,
    command: (what, input) => {
      const file = join(input.folder, "envoy.json");
      writeFileSync(file, JSON.stringify(configOf(what, input)));
      const binary = "binary" in found ? found.binary : "";
      return [binary, "-c", file, "--concurrency", String(what.workers), "--disable-hot-restart", "-l", "critical"];
    },
  };
}
