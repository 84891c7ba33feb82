import { TlsStats } from "@fairlead/proxy-upstream";
import { NamedCounts } from "@fairlead/stat-cells";

/** `listener.<address>.…` */
export class ListenerStats {
  downstream_cx_total = 0;
  downstream_cx_overflow = 0;
  no_filter_chain_match = 0;
  /** Clients that did not come to the end of their TLS handshake in time. */
  downstream_cx_transport_socket_connect_timeout = 0;
  /** Connections that listener filters look at. */
  downstream_pre_cx_active = 0;
  downstream_pre_cx_timeout = 0;
  downstream_listener_filter_remote_close = 0;
  /** What listener filters count, by their own names (`proxy_proto.versions.v2.found`). */
  readonly ofFilters = new NamedCounts();
  readonly ssl = new TlsStats();
  "server_ssl_socket_factory.downstream_context_secrets_not_ready" = 0;
}
