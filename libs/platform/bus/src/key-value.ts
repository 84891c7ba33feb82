export interface KeyValueEntry {
  readonly key: string;
  /** undefined: the key was deleted. */
  readonly value: Uint8Array | undefined;
  /** Order of the write within the bucket; grows, may have gaps. */
  readonly sequence: number;
}

/** Where a method throws, that is logged, and the watch starts again after a pause that grows to 5 s. */
export interface KeyValueWatcher {
  /** Called one entry at a time in order of `sequence`: first each key's last value, then every write. */
  entry(entry: KeyValueEntry): void;
  /** Called once the last values of all keys that existed at the start were given; at once for an empty bucket. */
  snapshotComplete(): void;
  /**
   * The watch could not be continued where it broke off and starts again with a new snapshot;
   * `entry` and `snapshotComplete` follow again. A key that the new snapshot does not name is gone.
   */
  restarted(): void;
}

export interface KeyValueWatch {
  stop(): Promise<void>;
}

/** A bucket: the last value of each key, and the writes in the order they were made. */
export interface KeyValue {
  /** Writes whose order matters are awaited one after the other. @returns the sequence of the write */
  put(key: string, value: Uint8Array): Promise<number>;
  get(key: string): Promise<KeyValueEntry | undefined>;
  delete(key: string): Promise<void>;
  /** Follows all keys of the bucket; on a disconnected bus from when it is connected. @throws FairleadError FL_BUS_CLOSED */
  watch(watcher: KeyValueWatcher): KeyValueWatch;
}
