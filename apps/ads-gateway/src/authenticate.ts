import type { Metadata } from "@grpc/grpc-js";

/** What is known of the other end of a stream before its first request. */
export interface StreamPeer {
  /** `address:port`. */
  readonly address: string;
  /** The call's headers. */
  readonly metadata: Metadata;
}

/** Who the peer proved to be. */
export interface PeerIdentity {
  mayBe(nodeId: string): boolean;
}

/** The one door for node identity. @returns undefined when the peer did not prove who it is */
export type Authenticate = (peer: StreamPeer) => PeerIdentity | undefined;

const anybody: PeerIdentity = { mayBe: () => true };

/** Takes each peer for the node that it says it is: for networks where only proxies reach the gateway. */
export const acceptEveryone: Authenticate = () => anybody;
