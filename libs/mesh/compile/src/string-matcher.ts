import { create } from "@bufbuild/protobuf";
import { type StringMatcher, StringMatcherSchema } from "@fairlead/envoy-api/envoy/type/matcher/v3/string_pb.js";
import type { StringMatch } from "@fairlead/policy";

export function stringMatcher(match: StringMatch): StringMatcher {
  switch (match.kind) {
    case "exact":
      return create(StringMatcherSchema, { matchPattern: { case: "exact", value: match.value } });
    case "prefix":
      return create(StringMatcherSchema, { matchPattern: { case: "prefix", value: match.value } });
    case "regex":
      return create(StringMatcherSchema, { matchPattern: { case: "safeRegex", value: { regex: match.value } } });
    case "present":
      return create(StringMatcherSchema, { matchPattern: { case: "prefix", value: "" } });
  }
}
