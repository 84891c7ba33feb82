export { xdsStreamErrors } from "./errors.ts";
export { type RevisionRange } from "./revision-range.ts";
export {
  type OutgoingResponse,
  type PendingOfType,
  type SotwRequest,
  SotwStream,
  type SotwStreamOptions,
  type TypeStatus,
} from "./sotw-stream.ts";
export { type RequestOutcome } from "./type-stream.ts";
