import { type Any, anyUnpack } from "@bufbuild/protobuf/wkt";
import type { FilterChain } from "@fairlead/envoy-api/envoy/config/listener/v3/listener_components_pb.js";
import type { TransportSocket } from "@fairlead/envoy-api/envoy/config/core/v3/base_pb.js";
import {
  type CommonTlsContext,
  CommonTlsContext_CombinedCertificateValidationContextSchema,
  CommonTlsContextSchema,
  type DownstreamTlsContext,
  DownstreamTlsContextSchema,
  UpstreamTlsContextSchema,
} from "@fairlead/envoy-api/envoy/extensions/transport_sockets/tls/v3/tls_pb.js";
import type { CertificateValidationContext } from "@fairlead/envoy-api/envoy/extensions/transport_sockets/tls/v3/common_pb.js";
import type { SdsSecretConfig } from "@fairlead/envoy-api/envoy/extensions/transport_sockets/tls/v3/secret_pb.js";
import {
  TlsFiles,
  type TlsMaterial,
  type TlsSessions,
  type TlsSource,
  type UpstreamTls,
} from "@fairlead/proxy-upstream";
import type { SecretLookup } from "../secrets/secret.ts";
import { SecretTls } from "../secrets/secret-tls.ts";
import type { DownstreamTls } from "../listener/tls-termination.ts";
import { checkAds } from "./config-source.ts";
import { durationMs } from "./duration.ts";
import { refuseOthers, rejection } from "./rejection.ts";
import { readCertificate, readParameters } from "./tls-certificate.ts";
import { readValidation } from "./tls-validation.ts";

/** @throws FairleadError FL_XDS_REJECTED */
export function readUpstreamTls(
  socket: TransportSocket | undefined,
  secrets: SecretLookup,
  at = "transport_socket",
): UpstreamTls | undefined {
  const any = configOf(socket, at);
  if (any === undefined) return undefined;
  const where = `${at}.typed_config.`;
  const message = anyUnpack(any, UpstreamTlsContextSchema);
  if (message === undefined) throw rejection(at, `${any.typeUrl} is not supported; UpstreamTlsContext is`);
  refuseOthers(UpstreamTlsContextSchema, message, where, ["common_tls_context", "sni", "max_session_keys"]);
  if (!/^[\x21-\x7e]*$/.test(message.sni)) throw rejection(`${where}sni`, "is not a name");
  const common = readCommon(message.commonTlsContext, `${where}common_tls_context.`, secrets);
  return {
    ...common,
    serverName: message.sni,
    resumesSessions: (message.maxSessionKeys ?? 1) > 0,
    checksServerName: false,
  };
}

/** Envoy waits for ever unless told otherwise. */
const DEFAULT_HANDSHAKE_MS = 15_000;
/** OpenSSL counts the seconds in a C int. */
const LONGEST_SESSION_SECONDS = 2 ** 31 - 1;

/** @throws FairleadError FL_XDS_REJECTED */
export function readDownstreamTls(
  { transportSocket: socket, transportSocketConnectTimeout }: FilterChain,
  where: string,
  secrets: SecretLookup,
): DownstreamTls | undefined {
  const any = configOf(socket, `${where}transport_socket`);
  if (any === undefined) return undefined;
  const field = `${where}transport_socket.typed_config.`;
  const message = anyUnpack(any, DownstreamTlsContextSchema);
  if (message === undefined)
    throw rejection(`${where}transport_socket`, `${any.typeUrl} is not supported; DownstreamTlsContext is`);
  refuseOthers(DownstreamTlsContextSchema, message, field, [
    "common_tls_context",
    "require_client_certificate",
    "require_sni",
    "disable_stateless_session_resumption",
    "disable_stateful_session_resumption",
    "session_timeout",
  ]);
  const { commonTlsContext: tls } = message;
  const common = readCommon(tls, `${field}common_tls_context.`, secrets, readSessions(message, field));
  if ((tls?.tlsCertificates.length ?? 0) + (tls?.tlsCertificateSdsSecretConfigs.length ?? 0) === 0)
    throw rejection(`${field}common_tls_context.tls_certificates`, "is empty");
  return {
    ...common,
    requireClientCertificate: message.requireClientCertificate ?? false,
    requireServerName: message.requireSni ?? false,
    handshakeTimeoutMs: durationMs(
      transportSocketConnectTimeout,
      DEFAULT_HANDSHAKE_MS,
      `${where}transport_socket_connect_timeout`,
    ),
  };
}

/** Sessions are in tickets only: the proxy keeps none, so that `disable_stateful_session_resumption` is how it always is. */
function readSessions(message: DownstreamTlsContext, where: string): TlsSessions {
  const { sessionTicketKeysType: tickets } = message;
  const seconds = Number(message.sessionTimeout?.seconds ?? 0n);
  if (seconds < 0 || seconds > LONGEST_SESSION_SECONDS)
    throw rejection(`${where}session_timeout`, `is not from 0 to ${LONGEST_SESSION_SECONDS} s`);
  return {
    tickets: !(tickets.case === "disableStatelessSessionResumption" && tickets.value),
    ...(seconds === 0 ? {} : { timeoutSeconds: seconds }),
  };
}

/** @returns undefined for a plain connection */
function configOf(socket: TransportSocket | undefined, where: string): Any | undefined {
  if (socket === undefined) return undefined;
  if (socket.configType.case !== "typedConfig") {
    if (socket.name === "envoy.transport_sockets.raw_buffer") return undefined;
    throw rejection(`${where}.typed_config`, "is missing");
  }
  const any = socket.configType.value;
  return any.typeUrl.endsWith("/envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer") ? undefined : any;
}

interface Common {
  readonly source: TlsSource;
  readonly alpn: readonly string[];
  readonly secretNames: readonly string[];
}

function readCommon(
  message: CommonTlsContext | undefined,
  where: string,
  secrets: SecretLookup,
  sessions?: TlsSessions,
): Common {
  if (message === undefined) throw rejection(where.slice(0, -1), "is missing");
  refuseOthers(CommonTlsContextSchema, message, where, [
    "tls_params",
    "tls_certificates",
    "tls_certificate_sds_secret_configs",
    "validation_context",
    "validation_context_sds_secret_config",
    "combined_validation_context",
    "alpn_protocols",
  ]);
  const certificateNames = message.tlsCertificateSdsSecretConfigs.map((config, i) =>
    readSecretName(config, `${where}tls_certificate_sds_secret_configs[${i}]`),
  );
  const { inline, validationName } = readValidationSource(message, where);
  const { trusted, check } = readValidation(inline, `${where}validation_context.`, validationName !== undefined);
  const material: TlsMaterial = {
    certificates: message.tlsCertificates.map((certificate, i) =>
      readCertificate(certificate, `${where}tls_certificates[${i}].`),
    ),
    trusted,
    ...readParameters(message.tlsParams, `${where}tls_params.`),
    ...(sessions === undefined ? {} : { sessions }),
  };
  const alpn = message.alpnProtocols;
  // What is written here is looked at now, whatever else has to come.
  const files = openFiles(material, where);
  const secretNames = validationName === undefined ? certificateNames : [...certificateNames, validationName];
  if (secretNames.length > 0) {
    const source = new SecretTls({ secrets, material, certificateNames, validationName, validation: inline });
    return { source, alpn, secretNames };
  }
  const source: TlsSource = {
    current: () => ({ context: files.context(), verify: trusted !== undefined, check }),
    certificates: () => files.certificates(),
  };
  return { source, alpn, secretNames };
}

function readValidationSource(
  { validationContextType: type }: CommonTlsContext,
  where: string,
): { readonly inline: CertificateValidationContext | undefined; readonly validationName: string | undefined } {
  switch (type.case) {
    case "validationContext":
      return { inline: type.value, validationName: undefined };
    case "validationContextSdsSecretConfig":
      return {
        inline: undefined,
        validationName: readSecretName(type.value, `${where}validation_context_sds_secret_config`),
      };
    case "combinedValidationContext": {
      const field = `${where}combined_validation_context.`;
      refuseOthers(CommonTlsContext_CombinedCertificateValidationContextSchema, type.value, field, [
        "default_validation_context",
        "validation_context_sds_secret_config",
      ]);
      const { defaultValidationContext, validationContextSdsSecretConfig: config } = type.value;
      return {
        inline: defaultValidationContext,
        validationName:
          config === undefined ? undefined : readSecretName(config, `${field}validation_context_sds_secret_config`),
      };
    }
    default:
      return { inline: undefined, validationName: undefined };
  }
}

function readSecretName({ name, sdsConfig }: SdsSecretConfig, field: string): string {
  if (name === "") throw rejection(`${field}.name`, "is empty");
  if (sdsConfig === undefined)
    throw rejection(`${field}.sds_config`, "is missing: this proxy has no secrets of its own to look the name up in");
  checkAds(sdsConfig, `${field}.sds_config`);
  return name;
}

function openFiles(material: TlsMaterial, where: string): TlsFiles {
  try {
    return new TlsFiles(material);
  } catch (error) {
    throw rejection(where.slice(0, -1), `cannot be used: ${error instanceof Error ? error.message : String(error)}`);
  }
}
