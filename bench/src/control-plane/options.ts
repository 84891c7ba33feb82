import { flag, oneOf, readCommandLine, wholeNumber, wholeNumbers } from "@fairlead/lifecycle";
import type { Variant } from "./load/variant.ts";

export interface BenchOptions {
  readonly services: number;
  readonly endpoints: number;
  /** Numbers of streams, one measurement each. */
  readonly streams: readonly number[];
  /** Numbers of streams that are measured with a full push, too: of `streams`. */
  readonly fullPushStreams: readonly number[];
  readonly variant: Variant;
  /** TCP connections; 0 = one for each stream. */
  readonly connections: number;
  /** Single changes of each measurement. */
  readonly changes: number;
  /** Of the steady changes. */
  readonly seconds: number;
  /** Sizes of the mesh whose compile is measured. */
  readonly compileSizes: readonly number[];
  /** Streams beside which others misbehave. */
  readonly misbehavingStreams: number;
  readonly json: boolean;
  /** A smoke run: its numbers mean nothing, and docs/benchmarks.md stays. */
  readonly quick: boolean;
  readonly profile: boolean;
}

const whole = {
  services: 1000,
  streams: [100, 1000, 5000],
  fullPush: [100, 1000],
  changes: 30,
  seconds: 60,
  compile: [100, 1000, 10_000],
  misbehaving: 1000,
};
const quick = { services: 30, streams: [50], fullPush: [50], changes: 3, seconds: 1, compile: [20], misbehaving: 20 };

function syntaxOf(size: typeof whole) {
  return {
    usage: `npm run bench:control-plane -- [options]

Measures config-compiler and ads-gateway as processes, on a real PostgreSQL and a real nats-server, with a load process
of simulated proxies. Writes docs/benchmarks.md. Takes about 15 minutes.`,
    options: {
      services: wholeNumber(size.services, "of the mesh"),
      endpoints: wholeNumber(10, "of each service"),
      streams: wholeNumbers(size.streams, "simulated proxies, one measurement each"),
      "full-push": wholeNumbers(size.fullPush, "of these, measured with a full push, too"),
      variant: oneOf(["delta", "sotw"], "of xDS", "delta"),
      connections: wholeNumber(0, "that the streams share; 0 = one for each stream"),
      changes: wholeNumber(size.changes, "single changes of a measurement"),
      seconds: wholeNumber(size.seconds, "of 10 changes a second"),
      compile: wholeNumbers(size.compile, "services of the meshes whose compile is measured"),
      misbehaving: wholeNumber(
        size.misbehaving,
        "proxies beside which 1 % never read and 5 % refuse everything; 0 = not measured",
      ),
      profile: flag("writes gateway-*.cpuprofile into the working directory; costs CPU time"),
      quick: flag("a smoke run of some seconds with 50 streams; writes nothing"),
      json: flag("prints the results as JSON; writes nothing"),
    },
  };
}

/** @param args @default those of this process, which ends where they are not to be used */
export function readOptions(args: readonly string[] = process.argv.slice(2)): BenchOptions {
  const size = args.includes("--quick") ? quick : whole;
  const {
    "full-push": fullPushStreams,
    compile: compileSizes,
    misbehaving: misbehavingStreams,
    ...asked
  } = readCommandLine(syntaxOf(size), args).options;
  return { ...asked, fullPushStreams, compileSizes, misbehavingStreams };
}
