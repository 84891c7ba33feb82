/** How connections are ended. Plain data: other threads get it, too. */
export interface DrainOptions {
  /**
   * `at once`: each connection ends with its current or next response; idle ones are closed soon after no request is under way. For
   * callers that have been turned away before.
   *
   * `gradual`: each response ends its connection with a probability that grows to 1 over three quarters of the drain time-out. Idle
   * connections stay until then, as a request may be on its way; what is left at the time-out is closed.
   *
   * @default "at once"
   */
  readonly strategy?: "at once" | "gradual";
  /** New connections are taken until the gradual part is over. @default false */
  readonly accepting?: boolean;
}

/** The rest of the time-out is for clients that send nothing, or are told by a GOAWAY. */
export const GRADUAL_SHARE = 0.75;
