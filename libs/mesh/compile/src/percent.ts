import { create } from "@bufbuild/protobuf";
import {
  FractionalPercent_DenominatorType,
  FractionalPercentSchema,
} from "@fairlead/envoy-api/envoy/type/v3/percent_pb.js";

const millionthsOfAPercent = 10_000;

/** @param percent 0 to 100; a proxy rolls in millionths */
export function fractionalPercent(percent: number) {
  return create(FractionalPercentSchema, {
    numerator: Math.round(percent * millionthsOfAPercent),
    denominator: FractionalPercent_DenominatorType.MILLION,
  });
}

/** The two forms that policies have; none = all. */
export function percentOf(given: {
  readonly percentage?: { readonly value: number } | undefined;
  readonly percent?: number | undefined;
}): number {
  return given.percentage?.value ?? given.percent ?? 100;
}
