import {
  type Http2ProtocolOptions,
  type KeepaliveSettings,
  Http2ProtocolOptionsSchema,
} from "@fairlead/envoy-api/envoy/config/core/v3/protocol_pb.js";
import { defaultAbuseLimits, type Http2Options, type KeepAliveOptions } from "@fairlead/proxy-stream";
import { durationMs } from "./duration.ts";
import { refuseOthers, rejection } from "./rejection.ts";

/** RFC 9113 §6.5.2 and §6.9.1; Envoy takes no window below the RFC's default. */
const LEAST_WINDOW_BYTES = 65_535;
const LARGEST = 2_147_483_647;

/** @throws FairleadError FL_XDS_REJECTED */
export function readHttp2Options(message: Http2ProtocolOptions, where: string): Omit<Http2Options, "stats"> {
  refuseOthers(Http2ProtocolOptionsSchema, message, where, [
    "hpack_table_size",
    "max_concurrent_streams",
    "initial_stream_window_size",
    "initial_connection_window_size",
    "max_outbound_frames",
    "max_outbound_control_frames",
    "max_consecutive_inbound_frames_with_empty_payload",
    "max_inbound_priority_frames_per_stream",
    "max_inbound_window_update_frames_per_data_frame_sent",
    "allow_connect",
    "connection_keepalive",
    "stream_error_on_invalid_http_messaging",
    "override_stream_error_on_invalid_http_message",
  ]);
  const { maxConcurrentStreams, initialStreamWindowSize, initialConnectionWindowSize } = message;
  if (maxConcurrentStreams !== undefined && (maxConcurrentStreams < 1 || maxConcurrentStreams > LARGEST))
    throw rejection(`${where}max_concurrent_streams`, `is not from 1 to ${LARGEST}`);
  checkWindow(initialStreamWindowSize, `${where}initial_stream_window_size`);
  checkWindow(initialConnectionWindowSize, `${where}initial_connection_window_size`);
  const limits = defaultAbuseLimits;
  return {
    ...(message.connectionKeepalive === undefined
      ? {}
      : { keepAlive: readKeepAlive(message.connectionKeepalive, `${where}connection_keepalive.`) }),
    ...readMalformed(message),
    ...(message.hpackTableSize === undefined ? {} : { headerTableBytes: message.hpackTableSize }),
    ...(message.allowConnect ? { allowConnect: true } : {}),
    ...(maxConcurrentStreams === undefined ? {} : { maxConcurrentStreams }),
    ...(initialStreamWindowSize === undefined ? {} : { streamWindowBytes: initialStreamWindowSize }),
    ...(initialConnectionWindowSize === undefined ? {} : { connectionWindowBytes: initialConnectionWindowSize }),
    abuse: {
      ...limits,
      maxOutboundFrames: message.maxOutboundFrames ?? limits.maxOutboundFrames,
      maxOutboundControlFrames: message.maxOutboundControlFrames ?? limits.maxOutboundControlFrames,
      maxConsecutiveEmptyFrames:
        message.maxConsecutiveInboundFramesWithEmptyPayload ?? limits.maxConsecutiveEmptyFrames,
      maxPriorityFramesPerStream: message.maxInboundPriorityFramesPerStream ?? limits.maxPriorityFramesPerStream,
      maxWindowUpdatesPerDataFrame:
        message.maxInboundWindowUpdateFramesPerDataFrameSent ?? limits.maxWindowUpdatesPerDataFrame,
    },
  };
}

/**
 * A malformed message costs its stream, as RFC 9113 §8.1.1 has it, unless somebody says otherwise: Envoy's default costs all streams of
 * the connection, and so those of other clients where a proxy is in front.
 */
function readMalformed(message: Http2ProtocolOptions): Pick<Http2Options, "closesOnMalformed"> {
  const override =
    message.overrideStreamErrorOnInvalidHttpMessage ?? (message.streamErrorOnInvalidHttpMessaging ? true : undefined);
  return override === undefined ? {} : { closesOnMalformed: !override };
}

/** Envoy's. */
const DEFAULT_JITTER_PERCENT = 15;
const LEAST_KEEP_ALIVE_MS = 1;

function readKeepAlive(message: KeepaliveSettings, where: string): KeepAliveOptions {
  const intervalMs = durationMs(message.interval, 0, `${where}interval`);
  const idleMs = durationMs(message.connectionIdleInterval, 0, `${where}connection_idle_interval`);
  if (message.timeout === undefined) throw rejection(`${where}timeout`, "is missing");
  const timeoutMs = durationMs(message.timeout, 0, `${where}timeout`);
  if (timeoutMs < LEAST_KEEP_ALIVE_MS) throw rejection(`${where}timeout`, "is less than 1 ms");
  return { intervalMs, timeoutMs, idleMs, jitter: (message.intervalJitter?.value ?? DEFAULT_JITTER_PERCENT) / 100 };
}

function checkWindow(bytes: number | undefined, field: string): void {
  if (bytes !== undefined && (bytes < LEAST_WINDOW_BYTES || bytes > LARGEST))
    throw rejection(field, `is not from ${LEAST_WINDOW_BYTES} to ${LARGEST}`);
}
