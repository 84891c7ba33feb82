import { HttpInspectorSchema } from "@fairlead/envoy-api/envoy/extensions/filters/listener/http_inspector/v3/http_inspector_pb.js";
import { type ListenerFilter, registerListenerFilter } from "@fairlead/proxy-filter";

const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
/** A request line that is longer is not looked at to its end (Envoy's limit). */
const MAX_LINE = 8192;
/** RFC 9110 §5.6.2, a method; what begins otherwise is no HTTP. */
const beginsLikeRequest = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}(?: |$)/;

/** Tells which HTTP a client speaks that does not speak TLS, as an ALPN name: `http/1.0`, `http/1.1`, `h2c`. */
export const httpInspector: ListenerFilter = {
  maxBytes: MAX_LINE + 1,
  look(bytes, facts, count) {
    if (facts.tls) return 0;
    const found = detect(bytes);
    if (found === "more") return "more";
    count(`http_inspector.${found === undefined ? "http_not_found" : stats[found]}`);
    if (found !== undefined) facts.alpn = [found];
    return 0;
  },
};

const stats = { "http/1.0": "http10_found", "http/1.1": "http11_found", h2c: "http2_found" } as const;

function detect(bytes: Buffer): keyof typeof stats | "more" | undefined {
  const length = Math.min(bytes.length, PREFACE.length);
  if (bytes.subarray(0, length).equals(PREFACE.subarray(0, length))) return length < PREFACE.length ? "more" : "h2c";
  const end = bytes.subarray(0, MAX_LINE).indexOf("\n");
  const line = bytes.toString("latin1", 0, end === -1 ? Math.min(bytes.length, MAX_LINE) : end);
  if (end === -1) return beginsLikeRequest.test(line) && bytes.length < MAX_LINE ? "more" : undefined;
  const version = / (HTTP\/1\.[01])\r?$/.exec(line)?.[1];
  if (version === undefined || !beginsLikeRequest.test(line)) return undefined;
  return version === "HTTP/1.0" ? "http/1.0" : "http/1.1";
}

registerListenerFilter(`type.googleapis.com/${HttpInspectorSchema.typeName}`, () => httpInspector);
