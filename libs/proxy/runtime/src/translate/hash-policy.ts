import {
  type RouteAction_HashPolicy as HashPolicyMessage,
  RouteAction_HashPolicySchema,
} from "@fairlead/envoy-api/envoy/config/route/v3/route_components_pb.js";
import type { HashPolicy } from "@fairlead/proxy-router";
import { durationMs } from "./duration.ts";
import { readRegexRewrite } from "./path-text.ts";
import { refuseOthers, rejection } from "./rejection.ts";

/** @throws FairleadError FL_XDS_REJECTED */
export function readHashPolicy(message: HashPolicyMessage, where: string): HashPolicy {
  refuseOthers(RouteAction_HashPolicySchema, message, `${where}.`, [
    "header",
    "cookie",
    "connection_properties",
    "query_parameter",
    "terminal",
  ]);
  const { policySpecifier: policy, terminal } = message;
  switch (policy.case) {
    case "header": {
      const { headerName, regexRewrite } = policy.value;
      return {
        kind: "header",
        name: headerName.toLowerCase(),
        rewrite:
          regexRewrite === undefined ? undefined : readRegexRewrite(regexRewrite, `${where}.header.regex_rewrite`),
        terminal,
      };
    }
    case "cookie": {
      const { name, path, ttl, attributes } = policy.value;
      for (const text of [name, path, ...attributes.flatMap((attribute) => [attribute.name, attribute.value])]) {
        if (!/^[\x21-\x2b\x2d-\x3a\x3c-\x7e]*$/.test(text))
          throw rejection(`${where}.cookie`, "holds a character that a cookie may not");
      }
      return {
        kind: "cookie",
        name,
        path,
        ttlSeconds: ttl === undefined ? undefined : Math.trunc(durationMs(ttl, 0, `${where}.cookie.ttl`) / 1000),
        attributes: attributes.map((attribute) =>
          attribute.value === "" ? attribute.name : `${attribute.name}=${attribute.value}`,
        ),
        terminal,
      };
    }
    case "connectionProperties":
      if (!policy.value.sourceIp) throw rejection(`${where}.connection_properties`, "source_ip is not set");
      return { kind: "sourceIp", terminal };
    case "queryParameter":
      return { kind: "queryParameter", name: policy.value.name, terminal };
    default:
      throw rejection(where, "has none of header, cookie, connection_properties, query_parameter");
  }
}
