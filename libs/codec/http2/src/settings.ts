import {
  DEFAULT_HEADER_TABLE_BYTES,
  DEFAULT_MAX_FRAME_BYTES,
  DEFAULT_WINDOW_BYTES,
  ERROR_CODE,
  LARGEST_MAX_FRAME_BYTES,
  LARGEST_WINDOW_BYTES,
} from "./frame-types.ts";
import { Http2Error, protocolError } from "./http2-error.ts";

export const SETTING = {
  headerTableSize: 1,
  enablePush: 2,
  maxConcurrentStreams: 3,
  initialWindowSize: 4,
  maxFrameSize: 5,
  maxHeaderListSize: 6,
  enableConnectProtocol: 8,
} as const;

/** More in one frame than any peer has a use for. */
const MAX_ENTRIES = 32;

/** What the peer has told us; what it leaves out keeps its value (RFC 9113 §6.5.2). */
export class PeerSettings {
  headerTableBytes = DEFAULT_HEADER_TABLE_BYTES;
  pushEnabled = true;
  /** @default unlimited, as the RFC says */
  maxConcurrentStreams = Number.POSITIVE_INFINITY;
  initialWindowBytes = DEFAULT_WINDOW_BYTES;
  maxFrameBytes = DEFAULT_MAX_FRAME_BYTES;
  connectProtocolEnabled = false;

  /** @throws Http2Error */
  apply(bytes: Buffer, start: number, end: number): void {
    if (end - start > MAX_ENTRIES * 6) {
      throw new Http2Error(ERROR_CODE.enhanceYourCalm, `a SETTINGS frame with more than ${MAX_ENTRIES} settings`);
    }
    for (let at = start; at < end; at += 6) this.#applyOne(bytes.readUInt16BE(at), bytes.readUInt32BE(at + 2));
  }

  #applyOne(setting: number, value: number): void {
    switch (setting) {
      case SETTING.headerTableSize:
        this.headerTableBytes = value;
        return;
      case SETTING.enablePush:
        if (value > 1) throw protocolError(`ENABLE_PUSH is ${value}`);
        this.pushEnabled = value === 1;
        return;
      case SETTING.maxConcurrentStreams:
        this.maxConcurrentStreams = value;
        return;
      case SETTING.initialWindowSize:
        if (value > LARGEST_WINDOW_BYTES) {
          throw new Http2Error(ERROR_CODE.flowControlError, `INITIAL_WINDOW_SIZE is ${value}`);
        }
        this.initialWindowBytes = value;
        return;
      case SETTING.maxFrameSize:
        if (value < DEFAULT_MAX_FRAME_BYTES || value > LARGEST_MAX_FRAME_BYTES) {
          throw protocolError(`MAX_FRAME_SIZE is ${value}`);
        }
        this.maxFrameBytes = value;
        return;
      case SETTING.enableConnectProtocol:
        if (value > 1) throw protocolError(`ENABLE_CONNECT_PROTOCOL is ${value}`);
        this.connectProtocolEnabled = value === 1;
        return;
      default:
      // MAX_HEADER_LIST_SIZE is advice, and what we forward is below what we take; unknown ones must be ignored.
    }
  }
}
