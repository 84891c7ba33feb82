import { connectionDefaults, type Http2ConnectionOptions, Http2Stats } from "@fairlead/codec-http2";
import type { ConnectionOptions } from "../stream-factory.ts";

/** @param now monotonic; @param onOutput as the codec has it */
export function codecOptions(
  options: ConnectionOptions,
  now: () => number,
  onOutput: () => void,
  onPingAck?: (opaque: Buffer) => void,
): Http2ConnectionOptions {
  const { keepAlive: _, ...http2 } = options.http2 ?? {};
  const { maxQueuedBytes } = connectionDefaults;
  return {
    ...connectionDefaults,
    ...http2,
    maxHeadBytes: options.maxHeadBytes ?? connectionDefaults.maxHeadBytes,
    maxHeaders: options.maxHeaders ?? connectionDefaults.maxHeaders,
    maxQueuedBytes: Math.min(options.highWatermarkBytes ?? maxQueuedBytes, maxQueuedBytes),
    stats: http2.stats ?? new Http2Stats(),
    now,
    onOutput,
    ...(onPingAck === undefined ? {} : { onPingAck }),
  };
}
