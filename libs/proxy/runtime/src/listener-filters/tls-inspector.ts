import { fromBinary } from "@bufbuild/protobuf";
import { TlsInspectorSchema } from "@fairlead/envoy-api/envoy/extensions/filters/listener/tls_inspector/v3/tls_inspector_pb.js";
import { type ListenerFilter, registerListenerFilter } from "@fairlead/proxy-filter";
import { MAX_HELLO_BYTES, readClientHello } from "../listener/client-hello.ts";
import { refuseOthers } from "../translate/rejection.ts";

/** Tells TLS from what is not, and reads the names that a client says before it is encrypted. */
export const tlsInspector: ListenerFilter = {
  // One more, so that it sees itself that a message is too long.
  maxBytes: MAX_HELLO_BYTES + 1,
  look(bytes, facts, count) {
    const hello = readClientHello(bytes);
    if (hello === "more") return "more";
    if (hello === "invalid") {
      count(bytes.length > MAX_HELLO_BYTES ? "tls_inspector.client_hello_too_large" : "tls_inspector.invalid_hello");
      return "close";
    }
    count(hello === "plain" ? "tls_inspector.tls_not_found" : "tls_inspector.tls_found");
    if (hello === "plain") return 0;
    count(hello.serverName === "" ? "tls_inspector.sni_not_found" : "tls_inspector.sni_found");
    count(hello.alpn.length === 0 ? "tls_inspector.alpn_not_found" : "tls_inspector.alpn_found");
    facts.tls = true;
    facts.serverName = hello.serverName;
    facts.alpn = hello.alpn;
    return 0;
  },
};

registerListenerFilter(`type.googleapis.com/${TlsInspectorSchema.typeName}`, (config, where) => {
  // Bytes are read as they come; fingerprints (JA3, JA4) are for nobody here.
  refuseOthers(TlsInspectorSchema, fromBinary(TlsInspectorSchema, config), where, ["initial_read_buffer_size"]);
  return tlsInspector;
});
