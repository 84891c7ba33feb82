export interface FrameLimits {
  /** Bytes of a frame with its head. @default 8388608 (8 MiB, Dubbo's `payload`) plus 64 KiB for heads */
  readonly maxFrameBytes: number;
}

export const defaultFrameLimits: FrameLimits = { maxFrameBytes: 8 * 1024 * 1024 + 64 * 1024 };
