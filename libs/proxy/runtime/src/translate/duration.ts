import type { Duration } from "@bufbuild/protobuf/wkt";
import { rejection } from "./rejection.ts";

/** setTimeout's limit, 24.8 days: what is longer would fire at once. */
const MAX_MS = 2 ** 31 - 1;

/** @returns milliseconds */
export function durationMs(duration: Duration | undefined, fallbackMs: number, field: string): number {
  if (duration === undefined) return fallbackMs;
  const ms = Number(duration.seconds) * 1000 + duration.nanos / 1_000_000;
  if (ms < 0) throw rejection(field, "is negative");
  return Math.min(ms, MAX_MS);
}
