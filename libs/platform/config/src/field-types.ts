import { z } from "zod";

/** A TCP port; 0 lets the system choose one. */
export const port = () => z.coerce.number().int().min(0).max(65535);

/** An address to listen on. Loopback unless told otherwise. */
export const bindAddress = () => z.string().min(1).default("127.0.0.1");

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** `250ms`, `10s`, `5m`, `1h`; becomes milliseconds. */
export const durationMs = () =>
  z
    .string()
    .regex(/^\d+(ms|s|m|h)$/, "expected a number with a unit: 250ms, 10s, 5m, 1h")
    .transform((text) => {
      const [, digits, unit] = /^(\d+)(ms|s|m|h)$/.exec(text)!;
      return Number(digits) * unitMs[unit!]!;
    });

/** What services that log have in common. */
export const logLevel = () =>
  z
    .enum(["trace", "debug", "info", "warn", "error", "fatal", "silent"])
    .default("info")
    .describe("The least severe level that is logged.");

export const natsUrl = () =>
  z.string().min(1).describe("nats-server, e.g. nats://127.0.0.1:4222; several with commas.");

export const databaseUrl = () =>
  z.string().min(1).describe("PostgreSQL, e.g. postgres://user:password@127.0.0.1:5432/fairlead.");

export const otlpEndpoint = () =>
  z.url().optional().describe("Where traces go by OTLP over HTTP, e.g. http://127.0.0.1:4318. Not set: none are sent.");
