import { z } from "zod";
import { durationMs, headerName, percentNumber, positiveDurationMs } from "./fields.ts";
import { localityLbSetting } from "./locality-setting.ts";

const simple = ["UNSPECIFIED", "ROUND_ROBIN", "LEAST_REQUEST", "LEAST_CONN", "RANDOM", "PASSTHROUGH"] as const;
/** UNSPECIFIED and LEAST_CONN, the old name of LEAST_REQUEST, are resolved. */
export type LoadBalancer = Exclude<(typeof simple)[number], "UNSPECIFIED" | "LEAST_CONN" | "PASSTHROUGH">;

const hashKeys = ["httpHeaderName", "httpCookie", "useSourceIp", "httpQueryParameterName"] as const;
const hashAlgorithms = ["ringHash", "maglev", "minimumRingSize"] as const;

const maxRingSize = 8 * 1024 * 1024;
const ringSize = z.number().int().min(1).max(maxRingSize);

/** A Maglev table's size is a prime number, and Envoy takes none above. */
const maxTableSize = 5_000_011;

function isPrime(value: number): boolean {
  if (value < 2) return false;
  for (let divisor = 2; divisor * divisor <= value; divisor += 1) if (value % divisor === 0) return false;
  return true;
}

const consistentHash = z
  .strictObject({
    httpHeaderName: headerName.optional().describe("By this header."),
    httpCookie: z
      .strictObject({
        name: headerName.describe("Its name."),
        path: z.string().max(1024).optional().describe("Of the cookie that is made."),
        ttl: durationMs
          .optional()
          .describe("A caller without the cookie gets one for that long; `0s`: until the browser ends."),
        attributes: z
          .array(
            z.strictObject({
              name: z.string().min(1).max(128).describe("Such as `SameSite`."),
              value: z.string().max(1024).default("").describe("Such as `Strict`."),
            }),
          )
          .max(16)
          .optional()
          .describe("More of the cookie that is made: `name`, `value`."),
      })
      .optional()
      .describe("By a cookie."),
    useSourceIp: z.literal(true).optional().describe("By the caller's address."),
    httpQueryParameterName: z.string().min(1).max(256).optional().describe("By this parameter of the query."),
    ringHash: z
      .strictObject({ minimumRingSize: ringSize.optional().describe("Default: 1024.") })
      .optional()
      .describe("On a ring; the default."),
    maglev: z
      .strictObject({
        tableSize: z
          .number()
          .int()
          .max(maxTableSize)
          .refine(isPrime, `expected a prime number up to ${maxTableSize}`)
          .optional()
          .describe("A prime number. Default: 65537."),
      })
      .optional()
      .describe("In a Maglev table; gRPC clients without a proxy have `ROUND_ROBIN` instead."),
    minimumRingSize: ringSize.optional().describe("The old form of `ringHash.minimumRingSize`."),
  })
  .superRefine((value, context) => {
    const keys = hashKeys.filter((key) => value[key] !== undefined);
    if (keys.length !== 1)
      context.addIssue({ code: "custom", message: `expected exactly one of ${hashKeys.join(", ")}` });
    if (hashAlgorithms.filter((algorithm) => value[algorithm] !== undefined).length > 1)
      context.addIssue({ code: "custom", message: `expected at most one of ${hashAlgorithms.join(", ")}` });
  });
export type ConsistentHash = z.output<typeof consistentHash>;

const warmup = z.strictObject({
  duration: positiveDurationMs.describe("How long a new instance gets less than its share."),
  minimumPercent: percentNumber.optional().describe("Of its share at the beginning. Default: 10."),
  aggression: z.number().min(1).max(100).optional().describe("1 (default): grows evenly; above: faster at first."),
});

export const loadBalancer = z
  .strictObject({
    simple: z
      .enum(simple)
      .transform((name, context): LoadBalancer | undefined => {
        if (name !== "PASSTHROUGH")
          return name === "UNSPECIFIED" ? undefined : name === "LEAST_CONN" ? "LEAST_REQUEST" : name;
        context.addIssue({
          code: "custom",
          message: "PASSTHROUGH is not implemented: calls are not captured, so there is no address that was called",
        });
        return z.NEVER;
      })
      .optional()
      .describe(
        "`ROUND_ROBIN` (default), `LEAST_REQUEST` (also as `LEAST_CONN`), `RANDOM`. gRPC clients without a proxy have `ROUND_ROBIN` instead of the last two. `PASSTHROUGH` is refused.",
      ),
    consistentHash: consistentHash.optional().describe("Calls of one key go to one instance, as long as it is there."),
    localityLbSetting: localityLbSetting
      .optional()
      .describe(
        "Whose calls go where, by locality. Without it localities do not matter. `{}`, `enabled` and the failovers need `outlierDetection`: callers go to their own subzone, then zone, region, and the rest.",
      ),
    warmupDurationSecs: positiveDurationMs.optional().describe("The old form of `warmup.duration`."),
    warmup: warmup.optional().describe("New instances get their share by and by; with ROUND_ROBIN and LEAST_REQUEST."),
  })
  .superRefine((value, context) => {
    if (value.simple !== undefined && value.consistentHash !== undefined)
      context.addIssue({ code: "custom", message: "expected at most one of simple, consistentHash" });
    const hasWarmup = value.warmup !== undefined || value.warmupDurationSecs !== undefined;
    const balancer = value.consistentHash === undefined ? (value.simple ?? "ROUND_ROBIN") : "consistentHash";
    if (hasWarmup && balancer !== "ROUND_ROBIN" && balancer !== "LEAST_REQUEST")
      context.addIssue({ code: "custom", message: "warmup is for ROUND_ROBIN and LEAST_REQUEST only" });
  });
export type LoadBalancerSettings = z.output<typeof loadBalancer>;
