/** A session as the server knows it: what a new connection needs to go on with it. */
export interface Session {
  readonly id: bigint;
  readonly password: Buffer;
  /** Agreed with the server: without a sign of life for so long, the session ends with its ephemeral nodes. */
  readonly timeoutMs: number;
}

export const noSession: Session = { id: 0n, password: Buffer.alloc(16), timeoutMs: 0 };
