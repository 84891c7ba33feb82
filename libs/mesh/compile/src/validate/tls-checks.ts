import type {
  TlsCertificate,
  TlsParameters,
} from "@fairlead/envoy-api/envoy/extensions/transport_sockets/tls/v3/common_pb.js";
import type {
  DownstreamTlsContext,
  UpstreamTlsContext,
} from "@fairlead/envoy-api/envoy/extensions/transport_sockets/tls/v3/tls_pb.js";
import type { MessageCheck } from "./walk.ts";

/** Of a server name, as Envoy takes it. */
const maxServerNameBytes = 255;

function* downstream({ commonTlsContext: common }: DownstreamTlsContext): Generator<string> {
  const own = (common?.tlsCertificates.length ?? 0) + (common?.tlsCertificateSdsSecretConfigs.length ?? 0);
  if (own === 0 && common?.tlsCertificateProviderInstance === undefined) yield "it has no certificate to show";
}

function* upstream({ sni }: UpstreamTlsContext): Generator<string> {
  if (Buffer.byteLength(sni) > maxServerNameBytes) yield `the server name is longer than ${maxServerNameBytes} bytes`;
}

function* certificate({ certificateChain, privateKey, privateKeyProvider, pkcs12 }: TlsCertificate): Generator<string> {
  if (pkcs12 !== undefined) return;
  if (certificateChain === undefined) yield "it has no chain";
  if (privateKey === undefined && privateKeyProvider === undefined) yield "it has no private key";
}

/** TLS_AUTO is 0, and the versions grow. */
function* parameters({
  tlsMinimumProtocolVersion: least,
  tlsMaximumProtocolVersion: most,
}: TlsParameters): Generator<string> {
  const [lowest, highest]: readonly [number, number] = [least, most];
  if (highest !== 0 && lowest > highest) yield "the least version of TLS is above the highest";
}

export const tlsChecks: readonly (readonly [string, MessageCheck])[] = [
  ["envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext", downstream],
  ["envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext", upstream],
  ["envoy.extensions.transport_sockets.tls.v3.TlsCertificate", certificate],
  ["envoy.extensions.transport_sockets.tls.v3.TlsParameters", parameters],
];
