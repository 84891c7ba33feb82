import type { Operator } from "./operator.ts";

const days = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const months = [
  "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
]; // prettier-ignore

const padded = (value: number, length = 2) => String(value).padStart(length, "0");

type Part = (time: Date) => string;

/** strftime's conversions in UTC, and Envoy's: `%s` seconds since the epoch, `%Nf` N digits of the fraction. */
const conversions: Readonly<Record<string, Part>> = {
  Y: (time) => String(time.getUTCFullYear()),
  y: (time) => padded(time.getUTCFullYear() % 100),
  m: (time) => padded(time.getUTCMonth() + 1),
  d: (time) => padded(time.getUTCDate()),
  e: (time) => String(time.getUTCDate()).padStart(2),
  H: (time) => padded(time.getUTCHours()),
  I: (time) => padded(time.getUTCHours() % 12 || 12),
  M: (time) => padded(time.getUTCMinutes()),
  S: (time) => padded(time.getUTCSeconds()),
  p: (time) => (time.getUTCHours() < 12 ? "AM" : "PM"),
  a: (time) => (days[time.getUTCDay()] ?? "").slice(0, 3),
  A: (time) => days[time.getUTCDay()] ?? "",
  b: (time) => (months[time.getUTCMonth()] ?? "").slice(0, 3),
  B: (time) => months[time.getUTCMonth()] ?? "",
  F: (time) => time.toISOString().slice(0, 10),
  T: (time) => time.toISOString().slice(11, 19),
  Z: () => "UTC",
  z: () => "+0000",
  s: (time) => String(Math.floor(time.getTime() / 1000)),
  f: (time) => fraction(time, 9),
  "%": () => "%",
};

/** The clock has milliseconds; the digits after them are 0. */
const fraction = (time: Date, digits: number): string =>
  padded(time.getUTCMilliseconds(), 3).padEnd(digits, "0").slice(0, digits);

/** @param format of strftime; none = ISO 8601 with milliseconds. @returns undefined for a conversion that is not known */
export function startTime(format: string | undefined): Operator | undefined {
  if (format === undefined || format === "") return ({ startDate }) => startDate.toISOString();
  const parts: (string | Part)[] = [];
  for (const [part, digits, letter = ""] of format.matchAll(/%([1-9]?)(.?)|[^%]+/gs)) {
    if (!part.startsWith("%")) parts.push(part);
    else if (digits !== "" && letter !== "f" && letter !== "s") return undefined;
    else {
      const conversion = digits === "" ? conversions[letter] : numbered(letter, Number(digits));
      if (conversion === undefined) return undefined;
      parts.push(conversion);
    }
  }
  return ({ startDate }) => parts.map((part) => (typeof part === "string" ? part : part(startDate))).join("");
}

/** `%3f` is a fraction of three digits; `%3s` the epoch in milliseconds. */
function numbered(letter: string, digits: number): Part {
  if (letter === "f") return (time) => fraction(time, digits);
  return (time) => `${Math.floor(time.getTime() / 1000)}${fraction(time, digits)}`;
}
