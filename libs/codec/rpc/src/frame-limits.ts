export interface FrameLimits {
  /** Bytes of a frame with its head. @default 8388608 (8 MiB, Dubbo's `payload`) plus 64 KiB for heads */
  readonly maxFrameBytes: number;
}

export const defaultFrameLimits: FrameLimits = { maxFrameBytes: 8 * 1024 * 1024 + 64 * 1024 };

/** Attachments of a call that are read; one with more cannot be. Frameworks send some ten, and a client decides how many it sends. */
export const MAX_ATTACHMENTS = 1024;
