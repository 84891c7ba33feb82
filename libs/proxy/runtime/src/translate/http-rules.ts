import { HttpProtocolOptions_HeadersWithUnderscoresAction as Underscores } from "@fairlead/envoy-api/envoy/config/core/v3/protocol_pb.js";
import {
  type HttpConnectionManager,
  HttpConnectionManager_ForwardClientCertDetails as Forward,
  HttpConnectionManager_PathWithEscapedSlashesAction as EscapedSlashes,
} from "@fairlead/envoy-api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import {
  addVia,
  type CertificateForwarding,
  clientCertificateRule,
  type ConnectionManagerConfig,
  connectionManagerDefaults as defaults,
  type RequestRule,
  type ResponseRule,
  stripPortRule,
  stripTrailingDotRule,
  underscoreRule,
} from "@fairlead/proxy-filter";
import { readEarlyMutations } from "./early-header-mutations.ts";
import { rejection } from "./rejection.ts";

type HttpRules =
  | "normalizePath"
  | "mergeSlashes"
  | "escapedSlashes"
  | "requestRules"
  | "responseRules"
  | "removesClientCertificate"
  | "via"
  | "skipForwardedFor"
  | "preserveExternalRequestId";

/** What a listener makes of the heads that pass. @throws FairleadError FL_XDS_REJECTED */
export function readHttpRules(message: HttpConnectionManager, where: string): Pick<ConnectionManagerConfig, HttpRules> {
  const { via } = message;
  if (!/^[\x21-\x7e]?[\x20-\x7e]*$/.test(via))
    throw rejection(`${where}via`, "holds a character that a header value may not");
  return {
    normalizePath: message.normalizePath ?? defaults.normalizePath,
    mergeSlashes: message.mergeSlashes,
    escapedSlashes: escapedSlashes[message.pathWithEscapedSlashesAction],
    requestRules: readRequestRules(message, where),
    responseRules: readResponseRules(message),
    removesClientCertificate: message.forwardClientCertDetails === Forward.SANITIZE,
    via,
    skipForwardedFor: message.skipXffAppend,
    preserveExternalRequestId: message.preserveExternalRequestId,
  };
}

const escapedSlashes: Readonly<Record<EscapedSlashes, ConnectionManagerConfig["escapedSlashes"]>> = {
  [EscapedSlashes.IMPLEMENTATION_SPECIFIC_DEFAULT]: "keep",
  [EscapedSlashes.KEEP_UNCHANGED]: "keep",
  [EscapedSlashes.REJECT_REQUEST]: "reject",
  [EscapedSlashes.UNESCAPE_AND_REDIRECT]: "redirect",
  [EscapedSlashes.UNESCAPE_AND_FORWARD]: "forward",
};

const forwarding: Readonly<Record<Forward, CertificateForwarding | undefined>> = {
  [Forward.SANITIZE]: undefined,
  [Forward.FORWARD_ONLY]: "forwardOnly",
  [Forward.APPEND_FORWARD]: "appendForward",
  [Forward.SANITIZE_SET]: "sanitizeSet",
  [Forward.ALWAYS_FORWARD_ONLY]: "alwaysForwardOnly",
};

function readRequestRules(message: HttpConnectionManager, where: string): RequestRule[] {
  const rules: RequestRule[] = [];
  const underscores = message.commonHttpProtocolOptions?.headersWithUnderscoresAction ?? Underscores.ALLOW;
  if (underscores !== Underscores.ALLOW)
    rules.push(underscoreRule(underscores === Underscores.REJECT_REQUEST ? "reject" : "drop"));
  const any = message.stripPortMode.case === "stripAnyHostPort" && message.stripPortMode.value;
  if (any && message.stripMatchingHostPort)
    throw rejection(`${where}strip_any_host_port`, "is set together with strip_matching_host_port");
  // The dot is before the port: with both gone, what is left is the name.
  if (message.stripTrailingHostDot) rules.push(stripTrailingDotRule);
  if (any || message.stripMatchingHostPort) rules.push(stripPortRule(any ? "any" : "matching"));
  // Before whatever says who the client is, as in Envoy: nothing of that can be made up here.
  rules.push(...readEarlyMutations(message.earlyHeaderMutationExtensions, where));
  const mode = forwarding[message.forwardClientCertDetails];
  if (mode !== undefined) {
    const {
      cert = false,
      chain = false,
      uri = false,
      dns = false,
      subject,
    } = message.setCurrentClientCertDetails ?? {};
    rules.push(clientCertificateRule(mode, { cert, chain, uri, dns, subject: subject ?? false }));
  }
  return rules;
}

function readResponseRules({ via, alwaysSetRequestIdInResponse }: HttpConnectionManager): ResponseRule[] {
  const rules: ResponseRule[] = [];
  if (via !== "") rules.push((headers) => addVia(headers, via));
  if (alwaysSetRequestIdInResponse)
    rules.push((headers, { requestId }) => {
      if (requestId !== "") headers.set("x-request-id", requestId);
    });
  return rules;
}
