import { parseArgs } from "node:util";
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

export const helpText = `npm run bench:control-plane -- [options]

Measures config-compiler and ads-gateway as processes, on a real PostgreSQL and a real nats-server, with a load process
of simulated proxies. Writes docs/benchmarks.md. Takes about 15 minutes.

  --services N        of the mesh [1000]
  --endpoints N       of each service [10]
  --streams N,N,…     simulated proxies, one measurement each [100,1000,5000]
  --full-push N,N,…   of these, measured with a full push, too [100,1000]
  --variant V         delta or sotw [delta]
  --connections N     that the streams share; 0 = one for each stream [0]
  --changes N         single changes of a measurement [30]
  --seconds N         of 10 changes a second [60]
  --compile N,N,…     services of the meshes whose compile is measured [100,1000,10000]
  --misbehaving N     proxies beside which 1 % never read and 5 % refuse everything; 0 = not measured [1000]
  --profile           writes gateway-*.cpuprofile into the working directory; costs CPU time
  --quick             a smoke run of some seconds with 50 streams; writes nothing
  --json              prints the results as JSON; writes nothing
  --help
`;

const quick = {
  services: "30",
  streams: "50",
  fullPush: "50",
  changes: "3",
  seconds: "1",
  compile: "20",
  misbehaving: "20",
};

function numbers(text: string, option: string): number[] {
  const values = text
    .split(",")
    .filter((part) => part !== "")
    .map(Number);
  if (values.some((value) => !Number.isInteger(value) || value < 0)) {
    throw new Error(`--${option} ${text}: whole numbers, separated by commas`);
  }
  return values;
}

/** @returns undefined where help is asked for @throws Error for an option that there is not, or a value that cannot be */
export function readOptions(args: readonly string[]): BenchOptions | undefined {
  const text = (value: string) => ({ type: "string" as const, default: value });
  const flag = { type: "boolean" as const, default: false };
  const base = args.includes("--quick") ? quick : undefined;
  const { values } = parseArgs({
    args: [...args],
    options: {
      services: text(base?.services ?? "1000"),
      endpoints: text("10"),
      streams: text(base?.streams ?? "100,1000,5000"),
      "full-push": text(base?.fullPush ?? "100,1000"),
      variant: text("delta"),
      connections: text("0"),
      changes: text(base?.changes ?? "30"),
      seconds: text(base?.seconds ?? "60"),
      compile: text(base?.compile ?? "100,1000,10000"),
      misbehaving: text(base?.misbehaving ?? "1000"),
      profile: flag,
      quick: flag,
      json: flag,
      help: flag,
    },
  });
  if (values.help) return undefined;
  if (values.variant !== "delta" && values.variant !== "sotw")
    throw new Error(`--variant ${values.variant}: delta or sotw`);
  const number = (option: Exclude<keyof typeof values, "profile" | "quick" | "json" | "help">) => {
    const [value, ...more] = numbers(values[option], option);
    if (value === undefined || more.length > 0) throw new Error(`--${option} takes one number`);
    return value;
  };
  return {
    services: number("services"),
    endpoints: number("endpoints"),
    streams: numbers(values.streams, "streams"),
    fullPushStreams: numbers(values["full-push"], "full-push"),
    variant: values.variant,
    connections: number("connections"),
    changes: number("changes"),
    seconds: number("seconds"),
    compileSizes: numbers(values.compile, "compile"),
    misbehavingStreams: number("misbehaving"),
    json: values.json,
    quick: values.quick,
    profile: values.profile,
  };
}
