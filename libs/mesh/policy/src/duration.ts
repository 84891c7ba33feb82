const unitMs: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const maxDurationMs = 24 * 3_600_000;

/**
 * A duration as Istio writes it: `10s`, `1.5s`, `1m30s`.
 *
 * @returns milliseconds, at least 1 unless the text says 0; undefined when it is none, or longer than a day
 */
export function parseDuration(text: string): number | undefined {
  if (text.length > 32 || !/^(\d+(\.\d+)?(ns|us|ms|s|m|h))+$/.test(text)) return undefined;
  let total = 0;
  for (const [, digits, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ns|us|ms|s|m|h)/g))
    total += Number(digits) * unitMs[unit!]!;
  if (total > maxDurationMs) return undefined;
  return total === 0 ? 0 : Math.max(1, Math.round(total));
}
