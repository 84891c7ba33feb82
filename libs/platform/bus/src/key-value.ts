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
  /**
   * Called once the last values of all keys that existed at the start were given; at once for an empty bucket.
   *
   * @param sequence of the bucket's last write, be it of a key that is gone; 0 = none
   */
  snapshotComplete(sequence: number): void;
  /**
   * The watch could not be continued where it broke off and starts again with a new snapshot;
   * `entry` and `snapshotComplete` follow again. A key that the new snapshot does not name is gone.
   */
  restarted(): void;
}

export interface KeyValueWatch {
  stop(): Promise<void>;
}

export interface WriteOptions {
  /**
   * The write is made only as the next one after the bucket's write of this sequence; 0: only as the bucket's first; undefined: always. A
   * writer that gives each write the sequence of the one before overwrites nothing of anybody else. Such writes may be under way at once,
   * in their order.
   */
  readonly after?: number | undefined;
}

/** A bucket: the last value of each key, and the writes in the order they were made. */
export interface KeyValue {
  /**
   * Writes whose order matters are awaited one after the other.
   *
   * @returns the sequence of the write
   * @throws FairleadError FL_BUS_CONFLICT when another write came before it, see `WriteOptions`
   */
  put(key: string, value: Uint8Array, options?: WriteOptions): Promise<number>;
  get(key: string): Promise<KeyValueEntry | undefined>;
  /** @returns the sequence of the bucket's last write after it */
  delete(key: string, options?: WriteOptions): Promise<number>;
  /** Follows all keys of the bucket; on a disconnected bus from when it is connected. @throws FairleadError FL_BUS_CLOSED */
  watch(watcher: KeyValueWatcher): KeyValueWatch;
}
