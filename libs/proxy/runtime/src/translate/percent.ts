import type { RuntimeFractionalPercent } from "@fairlead/envoy-api/envoy/config/core/v3/base_pb.js";
import {
  type FractionalPercent,
  FractionalPercent_DenominatorType as Denominator,
} from "@fairlead/envoy-api/envoy/type/v3/percent_pb.js";

const denominators: Readonly<Record<Denominator, number>> = {
  [Denominator.HUNDRED]: 100,
  [Denominator.TEN_THOUSAND]: 10_000,
  [Denominator.MILLION]: 1_000_000,
};

/** @returns 0 to 1 */
export function fractionOf(message: FractionalPercent | undefined, fallback: number): number {
  if (message === undefined) return fallback;
  return Math.min(message.numerator / denominators[message.denominator], 1);
}

/** There is no runtime to look a key up in: what it falls back to counts. */
export function runtimeFractionOf(message: RuntimeFractionalPercent | undefined, fallback: number): number {
  return message === undefined ? fallback : fractionOf(message.defaultValue, fallback);
}
