export {
  type DiscoveryStream,
  type DiscoveryStreamOptions,
  type OutgoingResponse,
  type PendingOfType,
  type StreamRequest,
  type TypeStatus,
} from "./discovery-stream.ts";
export { xdsStreamErrors } from "./errors.ts";
export { type RevisionRange } from "./revision-range.ts";
export { SotwStream } from "./sotw-stream.ts";
export { type RequestOutcome } from "./type-stream.ts";
