/** Why a response is compressed, or not; Envoy's words, for its statistics. */
export type EncodingReason = "compressor_used" | "wildcard" | "identity" | "not_valid" | "missing";

export interface EncodingChoice {
  /** undefined = as it is */
  readonly encoding: string | undefined;
  readonly reason: EncodingReason;
}

const QVALUE = /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/;

/**
 * What a client likes best of what there is (RFC 9110 §12.5.3).
 *
 * @param available in the order of preference, where the client has none
 */
export function chooseEncoding(header: string | undefined, available: readonly string[]): EncodingChoice {
  if (header === undefined) return { encoding: undefined, reason: "missing" };
  let best: string | undefined;
  let bestQ = 0;
  for (const part of header.split(",")) {
    const [coding = "", ...parameters] = part.split(";").map((text) => text.trim().toLowerCase());
    const q = qualityOf(parameters);
    if (q === undefined) return { encoding: undefined, reason: "not_valid" };
    const known = coding === "identity" || coding === "*" || available.includes(coding);
    if (!known || q < bestQ || q === 0) continue;
    // Of two that are as welcome, the one that comes first here.
    if (q === bestQ && rank(coding, available) >= rank(best ?? "", available)) continue;
    best = coding;
    bestQ = q;
  }
  if (best === undefined) return { encoding: undefined, reason: "not_valid" };
  if (best === "identity") return { encoding: undefined, reason: "identity" };
  if (best !== "*") return { encoding: best, reason: "compressor_used" };
  return { encoding: available.find((coding) => !refuses(header, coding)), reason: "wildcard" };
}

function qualityOf(parameters: readonly string[]): number | undefined {
  const q = parameters.find((parameter) => parameter.startsWith("q="));
  if (q === undefined) return 1;
  const value = q.slice(2).trim();
  return QVALUE.test(value) ? Number(value) : undefined;
}

function rank(coding: string, available: readonly string[]): number {
  const at = available.indexOf(coding);
  return at === -1 ? available.length : at;
}

/** `gzip;q=0, *` takes all but gzip. */
function refuses(header: string, coding: string): boolean {
  return header.split(",").some((part) => {
    const [name = "", ...parameters] = part.split(";").map((text) => text.trim().toLowerCase());
    return name === coding && qualityOf(parameters) === 0;
  });
}
