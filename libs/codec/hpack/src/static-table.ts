/** RFC 7541 Appendix A, name and value by index; index 0 does not exist. */
const entries = [
  ["", ""], [":authority", ""], [":method", "GET"], [":method", "POST"], [":path", "/"], [":path", "/index.html"],
  [":scheme", "http"], [":scheme", "https"], [":status", "200"], [":status", "204"], [":status", "206"], [":status", "304"],
  [":status", "400"], [":status", "404"], [":status", "500"], ["accept-charset", ""], ["accept-encoding", "gzip, deflate"],
  ["accept-language", ""], ["accept-ranges", ""], ["accept", ""], ["access-control-allow-origin", ""], ["age", ""],
  ["allow", ""], ["authorization", ""], ["cache-control", ""], ["content-disposition", ""], ["content-encoding", ""],
  ["content-language", ""], ["content-length", ""], ["content-location", ""], ["content-range", ""], ["content-type", ""],
  ["cookie", ""], ["date", ""], ["etag", ""], ["expect", ""], ["expires", ""], ["from", ""], ["host", ""], ["if-match", ""],
  ["if-modified-since", ""], ["if-none-match", ""], ["if-range", ""], ["if-unmodified-since", ""], ["last-modified", ""],
  ["link", ""], ["location", ""], ["max-forwards", ""], ["proxy-authenticate", ""], ["proxy-authorization", ""], ["range", ""],
  ["referer", ""], ["refresh", ""], ["retry-after", ""], ["server", ""], ["set-cookie", ""], ["strict-transport-security", ""],
  ["transfer-encoding", ""], ["user-agent", ""], ["vary", ""], ["via", ""], ["www-authenticate", ""],
] as const; // prettier-ignore

/** The last index of the static table; the dynamic table begins after it. */
export const STATIC_ENTRIES = entries.length - 1;

export const staticNames: readonly string[] = entries.map(([name]) => name);
export const staticValues: readonly string[] = entries.map(([, value]) => value);

/** Where a name is in the static table. */
export interface StaticName {
  /** The lowest index of the name. */
  readonly index: number;
  /** Indexes of the values that are there with it. */
  readonly values: ReadonlyMap<string, number>;
}

const byName = new Map<string, StaticName & { readonly values: Map<string, number> }>();
for (const [index, [name, value]] of entries.entries()) {
  if (index === 0) continue;
  const known = byName.get(name) ?? { index, values: new Map<string, number>() };
  byName.set(name, known);
  if (value !== "") known.values.set(value, index);
}

export const staticTable: ReadonlyMap<string, StaticName> = byName;
