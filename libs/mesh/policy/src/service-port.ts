import { z } from "zod";
import { portNumber } from "./fields.ts";

/** What is spoken on a port. GRPC-WEB is HTTP to a proxy; MONGO and the like are TCP. */
export type PortProtocol = "HTTP" | "HTTP2" | "GRPC" | "HTTPS" | "TLS" | "TCP";

const protocols: Readonly<Record<string, PortProtocol>> = {
  HTTP: "HTTP",
  HTTP2: "HTTP2",
  GRPC: "GRPC",
  "GRPC-WEB": "HTTP",
  HTTPS: "HTTPS",
  TLS: "TLS",
  TCP: "TCP",
  MONGO: "TCP",
  MYSQL: "TCP",
  REDIS: "TCP",
};

export const portProtocol = z
  .string()
  .transform((text, context): PortProtocol => {
    const known = protocols[text.toUpperCase()];
    if (known !== undefined) return known;
    context.addIssue({ code: "custom", message: `expected one of ${Object.keys(protocols).join(", ")}` });
    return z.NEVER;
  })
  .describe("`HTTP`, `HTTP2`, `GRPC`, `GRPC-WEB`, `HTTPS`, `TLS`, `TCP`; `MONGO`, `MYSQL` and `REDIS` are TCP.");

export const portName = z.string().min(1).max(63);

export const servicePort = {
  number: portNumber.describe("1 to 65535."),
  protocol: portProtocol.default("HTTP"),
  name: portName.describe("Its name; unique in the object."),
};
