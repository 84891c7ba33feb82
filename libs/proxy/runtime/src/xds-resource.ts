/** One resource as it came over xDS: `body` is the encoded message, the value of its Any. Never altered. */
export interface XdsResource {
  readonly name: string;
  readonly body: Uint8Array;
}

/** A resource that this proxy does not apply, and why: what the NACK says. The last good version of it stays. */
export interface XdsRejection {
  readonly name: string;
  /** Names the field, and what would be accepted. */
  readonly reason: string;
}
