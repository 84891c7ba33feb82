import type { ConnectionInfo } from "@fairlead/proxy-stream";
import type { StreamInfo } from "../stream-info.ts";
import { type OperatorFactory, type OperatorValue, orNothing, plain, withPort } from "./operator.ts";

const ofConnection = (get: (connection: ConnectionInfo, info: StreamInfo) => OperatorValue): OperatorFactory =>
  plain((info) => get(info.connection, info));
const ofTls = (get: (tls: NonNullable<ConnectionInfo["tls"]>) => string): OperatorFactory =>
  plain(({ connection: { tls } }) => (tls === undefined ? undefined : orNothing(get(tls))));

const directAddress = ({ directRemoteAddress, remoteAddress }: ConnectionInfo): string =>
  directRemoteAddress ?? remoteAddress;

/** The client's connection. */
export const connectionOperators: Readonly<Record<string, OperatorFactory>> = {
  // The client as far as it is known through trusted proxies; its port is known of a peer only.
  DOWNSTREAM_REMOTE_ADDRESS: ofConnection(({ remoteAddress, remotePort }, { clientAddress }) =>
    withPort(clientAddress, clientAddress === remoteAddress ? remotePort : 0),
  ),
  DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT: plain(({ clientAddress }) => orNothing(clientAddress)),
  DOWNSTREAM_REMOTE_PORT: ofConnection(({ remoteAddress, remotePort }, { clientAddress }) =>
    clientAddress === remoteAddress ? remotePort : 0,
  ),
  DOWNSTREAM_DIRECT_REMOTE_ADDRESS: ofConnection((connection) =>
    withPort(directAddress(connection), connection.directRemotePort ?? connection.remotePort),
  ),
  DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT: ofConnection((connection) => orNothing(directAddress(connection))),
  DOWNSTREAM_DIRECT_REMOTE_PORT: ofConnection((connection) => connection.directRemotePort ?? connection.remotePort),
  DOWNSTREAM_LOCAL_ADDRESS: ofConnection(({ localAddress, localPort }) => withPort(localAddress, localPort)),
  DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT: ofConnection(({ localAddress }) => orNothing(localAddress)),
  DOWNSTREAM_LOCAL_PORT: ofConnection(({ localPort }) => localPort),
  CONNECTION_ID: ofConnection(({ id }) => id),
  REQUESTED_SERVER_NAME: ofTls(({ serverName }) => serverName),
  DOWNSTREAM_TLS_VERSION: ofTls(({ version }) => version),
  DOWNSTREAM_TLS_CIPHER: ofTls(({ cipher }) => cipher),
  DOWNSTREAM_PEER_SUBJECT: ofTls(({ peerSubject }) => peerSubject),
  DOWNSTREAM_PEER_URI_SAN: ofTls(({ peerUriSans }) => peerUriSans),
  DOWNSTREAM_LOCAL_URI_SAN: ofTls(({ localUriSans }) => localUriSans),
  DOWNSTREAM_TRANSPORT_FAILURE_REASON: ofConnection(({ transportFailure }, { downstreamTransportFailure }) =>
    orNothing((downstreamTransportFailure ?? transportFailure?.())?.replaceAll(/\s/g, "_")),
  ),
  CONNECTION_TERMINATION_DETAILS: plain(({ connectionTermination }) => connectionTermination),
};
