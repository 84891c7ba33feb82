/** Who sends one request at a time. */
export interface LoadClient {
  /** Resolves when the answer is complete. Rejects when there is none, it is cut, or it is not 200. */
  request(): Promise<void>;
  close(): void;
}

/** Where requests go. */
export interface LoadTarget {
  readonly port: number;
  /** The authority of each request. */
  readonly host: string;
  /** @default "/" */
  readonly path?: string;
}
