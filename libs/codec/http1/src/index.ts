export { Http1Error, type Http1ErrorDetails } from "./http1-error.ts";
export {
  type BodyFraming,
  CHUNKED,
  type Http1RequestHead,
  type Http1ResponseHead,
  UNTIL_CLOSE,
} from "./message-head.ts";
export { defaultParserLimits, type ParserLimits } from "./parser-limits.ts";
export { Http1RequestParser, type Http1RequestSink } from "./request-parser.ts";
export { Http1ResponseParser, type Http1ResponseSink } from "./response-parser.ts";
export { type HeadFraming, properCaseNames, serializeRequestHead, serializeResponseHead } from "./serialize-head.ts";
