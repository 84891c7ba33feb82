import "./http-inspector.ts";
import "./original-dst.ts";
import "./proxy-protocol.ts";
import "./tls-inspector.ts";
