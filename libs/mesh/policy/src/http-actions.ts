import { z } from "zod";
import { atMostOne, portNumber } from "./fields.ts";
import { regexProblem } from "./regex.ts";

const path = z.string().min(1).max(2048);
const authority = z.string().min(1).max(255);

const uriRegexRewrite = z.strictObject({
  match: z
    .string()
    .min(1)
    .max(4096)
    .superRefine((pattern, context) => {
      const problem = regexProblem(pattern);
      if (problem !== undefined)
        context.addIssue({ code: "custom", message: `not a regular expression in RE2 syntax: ${problem}` });
    })
    .describe("What of the path is replaced (RE2)."),
  rewrite: z.string().max(2048).describe("What comes in its place; `\\1` is the first group."),
});

export const rewrite = z
  .strictObject({
    uri: path.optional().describe("Replaces the matched prefix or path; after a `regex` match, the whole path."),
    uriRegexRewrite: uriRegexRewrite.optional().describe("Replaces what a pattern finds in the path."),
    authority: authority.optional().describe("Replaces the Host."),
  })
  .superRefine((value, context) => {
    const problem = atMostOne(value, ["uri", "uriRegexRewrite"]);
    if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
  });
export type Rewrite = z.output<typeof rewrite>;

export const redirect = z
  .strictObject({
    uri: path.optional().describe("The new path."),
    authority: authority.optional().describe("The new Host."),
    port: portNumber.optional().describe("The new port."),
    derivePort: z
      .enum(["FROM_PROTOCOL_DEFAULT", "FROM_REQUEST_PORT"])
      .optional()
      .describe("`FROM_PROTOCOL_DEFAULT`: 80 or 443 by the scheme. `FROM_REQUEST_PORT`: as the caller gave it."),
    scheme: z.enum(["http", "https"]).optional().describe("The new scheme: `http` or `https`."),
    redirectCode: z
      .union([z.literal(301), z.literal(302), z.literal(303), z.literal(307), z.literal(308)])
      .default(301)
      .describe("301 (default), 302, 303, 307, 308."),
  })
  .superRefine((value, context) => {
    const problem = atMostOne(value, ["port", "derivePort"]);
    if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
  });
export type Redirect = z.output<typeof redirect>;

/** As Istio's; Envoy has to be told when it is over 4096. */
const maxBodyBytes = 1024 * 1024;

const body = z
  .strictObject({
    string: z.string().max(maxBodyBytes).optional().describe("As text."),
    bytes: z
      .base64()
      .max(2 * maxBodyBytes)
      .optional()
      .describe("In base64."),
  })
  .transform((given, context) => {
    if ((given.string === undefined) === (given.bytes === undefined)) {
      context.addIssue({ code: "custom", message: "expected exactly one of string, bytes" });
      return z.NEVER;
    }
    const bytes = given.string === undefined ? Buffer.from(given.bytes!, "base64") : Buffer.from(given.string, "utf8");
    if (bytes.length > maxBodyBytes) {
      context.addIssue({ code: "custom", message: `expected at most ${maxBodyBytes} bytes` });
      return z.NEVER;
    }
    return given.string === undefined ? { bytes: new Uint8Array(bytes) } : { string: given.string };
  });

export const directResponse = z.strictObject({
  status: z.number().int().min(200).max(599).describe("200 to 599."),
  body: body.optional().describe("At most 1 MiB."),
});
export type DirectResponse = z.output<typeof directResponse>;
