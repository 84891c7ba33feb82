export { DeltaStream } from "./delta-stream.ts";
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
export { type RequestOutcome, type ResourceStatus } from "./type-request.ts";
