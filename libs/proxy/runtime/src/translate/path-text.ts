import { type RegexMatchAndSubstitute } from "@fairlead/envoy-api/envoy/type/matcher/v3/regex_pb.js";
import type { RegexRewrite } from "@fairlead/proxy-router";
import { rejection } from "./rejection.ts";

/** What is put into a request line or a location must not be able to end it. */
export function readPathText(text: string, field: string): string {
  if (!/^[\x21-\x7e]*$/.test(text)) throw rejection(field, "holds a character that a path may not");
  return text;
}

export function readHost(host: string, field: string): string {
  if (!/^[A-Za-z0-9\-._~%!$&'()*+;=:[\]]+$/.test(host)) throw rejection(field, `${JSON.stringify(host)} is not a host`);
  return host;
}

export function readRegexRewrite(message: RegexMatchAndSubstitute, field: string): RegexRewrite {
  return {
    pattern: message.pattern?.regex ?? "",
    substitution: readPathText(message.substitution, `${field}.substitution`),
  };
}
