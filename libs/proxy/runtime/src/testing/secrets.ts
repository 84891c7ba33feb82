import { readFileSync } from "node:fs";
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { Cluster_DiscoveryType } from "@fairlead/envoy-api/envoy/config/cluster/v3/cluster_pb.js";
import { ConfigSourceSchema } from "@fairlead/envoy-api/envoy/config/core/v3/config_source_pb.js";
import {
  type SdsSecretConfig,
  SdsSecretConfigSchema,
  SecretSchema,
} from "@fairlead/envoy-api/envoy/extensions/transport_sockets/tls/v3/secret_pb.js";
import {
  type CommonTlsContextSchema,
  DownstreamTlsContextSchema,
  UpstreamTlsContextSchema,
} from "@fairlead/envoy-api/envoy/extensions/transport_sockets/tls/v3/tls_pb.js";
import type { XdsResource } from "../xds-resource.ts";
import { assignmentInit, cluster, filterChains, listener } from "./resources.ts";

export type CommonTls = Extract<MessageInitShape<typeof CommonTlsContextSchema>, { readonly $typeName?: undefined }>;

const inline = (file: string) => ({ specifier: { case: "inlineString" as const, value: readFileSync(file, "utf8") } });

/** A certificate and its key as text, as a control plane sends them. */
export function certificateSecret(name: string, files: { readonly chain: string; readonly key: string }): XdsResource {
  const value = { certificateChain: inline(files.chain), privateKey: inline(files.key) };
  return {
    name,
    body: toBinary(SecretSchema, create(SecretSchema, { name, type: { case: "tlsCertificate", value } })),
  };
}

/** An authority that peers must be of. */
export function authoritySecret(name: string, file: string): XdsResource {
  const value = { trustedCa: inline(file) };
  const secret = create(SecretSchema, { name, type: { case: "validationContext", value } });
  return { name, body: toBinary(SecretSchema, secret) };
}

export function overAds(name: string): SdsSecretConfig {
  const sdsConfig = create(ConfigSourceSchema, { configSourceSpecifier: { case: "ads", value: {} } });
  return create(SdsSecretConfigSchema, { name, sdsConfig });
}

/** A listener that ends TLS. */
export function secureListener(name: string, common: CommonTls, requireClientCertificate = false): XdsResource {
  const context = create(DownstreamTlsContextSchema, { commonTlsContext: common, requireClientCertificate });
  const value = anyPack(DownstreamTlsContextSchema, context);
  const transportSocket = { name: "tls", configType: { case: "typedConfig" as const, value } };
  return listener(name, 0, {}, { filterChains: filterChains(name, { transportSocket }) });
}

/** A cluster of one host that is called over TLS. */
export function secureCluster(name: string, port: number, common: CommonTls, sni = ""): XdsResource {
  const value = anyPack(UpstreamTlsContextSchema, create(UpstreamTlsContextSchema, { commonTlsContext: common, sni }));
  return cluster(name, {
    clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.STATIC },
    edsClusterConfig: undefined,
    loadAssignment: assignmentInit(name, [port]),
    transportSocket: { name: "tls", configType: { case: "typedConfig", value } },
    maxRequestsPerConnection: 1,
  });
}
