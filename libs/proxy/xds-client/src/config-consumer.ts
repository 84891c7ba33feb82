/** One resource as it came over ADS: `body` is the encoded message, the value of its Any. */
export interface ReceivedResource {
  readonly name: string;
  readonly body: Uint8Array;
}

/** A resource that was not applied, and why. */
export interface RejectedResource {
  readonly name: string;
  readonly reason: string;
}

/** Who uses the configuration, and so decides what is subscribed to. `ProxyRuntime` fits. */
export interface ConfigConsumer {
  /**
   * Applies one response of one type: all of it, apart from the resources that it rejects. The client calls it
   * for one response at a time, and ACKs or NACKs when it resolves.
   */
  apply(typeUrl: string, resources: readonly ReceivedResource[]): Promise<readonly RejectedResource[]>;
  /** The names to subscribe to now; undefined = everything (wildcard). */
  wantedNames(typeUrl: string): readonly string[] | undefined;
  /** @returns a function that unsubscribes */
  onWantedNamesChanged(listener: (typeUrl: string) => void): () => void;
  /** Called once, when clusters and endpoints came or were given up on; at once when it is so already. */
  onClustersInitialized(listener: () => void): void;
  /** The initial fetch of this type timed out: go on with what there is. */
  giveUpOn(typeUrl: string): void;
}
