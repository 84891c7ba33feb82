import { isIP } from "node:net";
import { z } from "zod";
import { parseDuration } from "./duration.ts";

export const maxItems = 256;

/** A field that Istio has and Fairlead does not: its use is refused under this reason, and the reference says so. */
export function notImplemented(reason: string) {
  return z
    .never({ error: `is not implemented: ${reason}` })
    .optional()
    .describe(`Refused: ${reason}.`);
}

const name = "[A-Za-z0-9_]([A-Za-z0-9_.$-]{0,251}[A-Za-z0-9_])?";

/** An interface such as `shop.Reviews`, or a DNS name; how it is resolved is in host-resolution.ts. */
export const hostName = z
  .string()
  .regex(
    new RegExp(`^${name}$`),
    "expected the interface of a service or a DNS name, such as shop.Reviews; no wildcard and no address",
  );

/** Also `*`, and `*.example.com`: all names below it. */
export const hostPattern = z
  .string()
  .regex(
    new RegExp(`^(\\*|(\\*\\.)?${name})$`),
    "expected the interface of a service or a DNS name, such as shop.Reviews, or a wildcard such as *.example.com or *",
  );

export const objectName = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/, "expected up to 253 of a-z 0-9 . -");

export const labels = z.record(z.string().min(1).max(253), z.string().max(63));

export const durationMs = z.string().transform((text, context) => {
  const ms = parseDuration(text);
  if (ms !== undefined) return ms;
  context.addIssue({ code: "custom", message: `expected a duration such as 500ms, 10s or 1m30s, at most 24h` });
  return z.NEVER;
});

export const positiveDurationMs = durationMs.refine((ms) => ms > 0, "expected more than 0");

/** Lower-case token of RFC 9110; pseudo-headers have fields of their own. */
export const headerName = z.string().regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$/, "expected the name of a header");

export const portNumber = z.number().int().min(1).max(65_535);

const maxUint32 = 4_294_967_295;
export const count = z.number().int().min(0).max(maxUint32);
export const positiveCount = z.number().int().min(1).max(maxUint32);
export const percentNumber = z.number().min(0).max(100);
export const wholePercent = z.number().int().min(0).max(100);

/** `{value: 0.1}`: a thousandth of the calls. */
export const percentage = z.strictObject({ value: percentNumber.default(0).describe("0 to 100, also 0.001.") });

export const ipAddress = z.string().refine((text) => isIP(text) !== 0, "expected an IPv4 or IPv6 address");

/** `10.0.0.0/8`, or an address for that one host. */
export const subnet = z.string().transform((text, context) => {
  const [address = "", bits] = text.split("/", 2);
  const family = isIP(address);
  const width = family === 4 ? 32 : 128;
  const prefixLength = bits === undefined ? width : Number(bits);
  const isPrefix = bits === undefined || /^\d{1,3}$/.test(bits);
  if (family !== 0 && isPrefix && prefixLength <= width && text.split("/").length <= 2)
    return { address, prefixLength };
  context.addIssue({ code: "custom", message: "expected an address or a subnet, such as 10.0.0.0/8" });
  return z.NEVER;
});
export type Subnet = z.output<typeof subnet>;

/** A file on the proxy's machine. */
export const filePath = z.string().min(1).max(1024);

export const sniHost = hostPattern;

/** Whose proxies read the object: `*` all, `.` those of the object's namespace, or names of namespaces. */
export const exportTo = z
  .array(z.union([z.literal("*"), z.literal("."), objectName], { error: "expected *, . or the name of a namespace" }))
  .max(maxItems)
  .describe("Whose proxies read it: `*` all (default), `.` those of its own namespace, or names of namespaces.");

/** At most one of these may be given. */
export function atMostOne<Value extends object>(
  value: Value,
  fields: readonly (keyof Value & string)[],
): string | undefined {
  const given = fields.filter((field) => value[field] !== undefined);
  return given.length > 1 ? `expected at most one of ${fields.join(", ")}; found ${given.join(" and ")}` : undefined;
}
