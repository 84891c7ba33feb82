import { protocols } from "@fairlead/model";
import { z } from "zod";
import { convergenceReportSchema } from "./convergence.ts";
import { labelsSchema } from "./labels.ts";

/** Java interface names, host names, and paths of gRPC services fit. */
const interfaceName = z
  .string()
  .regex(
    /^[A-Za-z0-9_]([A-Za-z0-9_.$-]{0,251}[A-Za-z0-9_])?$/,
    "an interface is 1 to 253 of A-Z a-z 0-9 _ . $ -, not beginning or ending with . $ -",
  )
  .describe("The name that callers use as Host, e.g. shop.Orders.");

const reservedNames = new Set(["localhost", "inbound", "outbound", "outbound_rpc", "__proto__"]);
/** As clients read numbers in a host: dotted, short, hexadecimal. */
const address = /^(0x[0-9a-f]*|\d+)(\.(0x[0-9a-f]*|\d+)){0,3}$/i;

/** @returns why a name that is well-formed can never be meant as an interface; undefined when it may be */
export function reservedInterface(name: string): string | undefined {
  if (address.test(name)) return "an interface is a name; callers would take this for an IP address";
  if (reservedNames.has(name.toLowerCase())) return `${name} is a name that proxies and hosts use themselves`;
  return undefined;
}

/** What can be published and called. What is taken back may be anything. */
const callableInterface = interfaceName.superRefine((name, context) => {
  const message = reservedInterface(name);
  if (message !== undefined) context.addIssue({ code: "custom", message });
});

const tag = z
  .string()
  .max(128)
  .regex(/^[A-Za-z0-9._-]*$/, "up to 128 of A-Z a-z 0-9 . _ -");

/** What is published: the `service` of /pub. */
export const serviceSchema = z.strictObject({
  interface: callableInterface,
  protocol: z.enum(protocols).default("http"),
  port: z.number().int().min(1).max(65535).describe("The application's own port."),
  version: tag.default(""),
  group: tag.default(""),
  methods: z
    .array(z.string().regex(/^[\p{L}\p{N}\p{P}\p{S}]{1,255}$/u, "a method is 1 to 255 characters without spaces"))
    .max(1000)
    .default([]),
  labels: labelsSchema.default({}),
  weight: z.number().int().min(1).max(10_000).default(100).describe("Relative share of calls; 100 is normal."),
});
export type ServiceBody = z.output<typeof serviceSchema>;
export interface PublicationBody {
  readonly service: ServiceBody;
}

/** Names what was published before: the `service` of /unpub. Further fields of the publication may stay in the body. */
export const serviceReferenceSchema = z.strictObject({
  interface: interfaceName,
  protocol: z.enum(protocols).default("http"),
  port: z
    .number()
    .int()
    .min(1)
    .max(65535)
    .optional()
    .describe("Needed only where the node published the service on several ports."),
  version: tag.default(""),
  group: tag.default(""),
  methods: z.array(z.string()).optional(),
  labels: z.record(z.string(), z.string()).optional(),
  weight: z.number().optional(),
});
/** Names what is called: the `service` of /sub. */
export const calledServiceSchema = serviceReferenceSchema.extend({ interface: callableInterface });
export type ServiceReference = z.output<typeof serviceReferenceSchema>;

/** The answer of /pub /unpub /sub /unsub. `err_no` is 0 on success, 1 with an error's `code` and `message`. */
export const publicationAnswerSchema = z.object({
  err_no: z.literal(0),
  err_msg: z.string(),
  revision: z
    .number()
    .int()
    .describe("The revision that holds the change. An operation that changes nothing answers with the current one."),
  convergence: convergenceReportSchema.optional().describe("With ?wait=converged."),
});
export type PublicationAnswer = z.output<typeof publicationAnswerSchema>;
