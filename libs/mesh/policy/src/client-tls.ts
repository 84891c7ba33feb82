import { z } from "zod";
import { filePath, maxItems, notImplemented } from "./fields.ts";

export const clientTls = z
  .strictObject({
    mode: z
      .enum(["DISABLE", "SIMPLE", "MUTUAL", "ISTIO_MUTUAL"])
      .default("DISABLE")
      .describe(
        "`DISABLE`: plain. `SIMPLE`: TLS. `MUTUAL`: with a certificate of one's own. `ISTIO_MUTUAL`: with the mesh's.",
      ),
    clientCertificate: filePath.optional().describe("A file on the proxy's machine (PEM)."),
    privateKey: filePath.optional().describe("A file on the proxy's machine (PEM)."),
    caCertificates: filePath
      .optional()
      .describe(
        "A file on the proxy's machine (PEM) of who may sign the other's. Default: the machine's list, /etc/ssl/certs/ca-certificates.crt.",
      ),
    credentialName: z.string().min(1).max(253).optional().describe("The name of a secret, instead of files."),
    subjectAltNames: z
      .array(z.string().min(1).max(1024))
      .max(maxItems)
      .default([])
      .describe("The other's certificate must have one of these names."),
    sni: z
      .string()
      .min(1)
      .max(255)
      .optional()
      .describe("The server name of the handshake. Default: the Host of the call."),
    insecureSkipVerify: z.boolean().default(false).describe("Any certificate is taken. For tests."),
    caCrl: notImplemented("lists of revoked certificates are not read"),
  })
  .superRefine((tls, context) => {
    const issue = (message: string) => context.addIssue({ code: "custom", message });
    const files = tls.clientCertificate !== undefined && tls.privateKey !== undefined;
    if (tls.mode === "MUTUAL" && tls.credentialName === undefined && !files)
      issue("MUTUAL needs clientCertificate and privateKey, or credentialName");
    if (tls.mode !== "MUTUAL" && (tls.clientCertificate !== undefined || tls.privateKey !== undefined))
      issue("clientCertificate and privateKey are for MUTUAL only");
    if (tls.credentialName !== undefined && (files || tls.caCertificates !== undefined))
      issue("expected files or credentialName, not both");
    if (tls.credentialName !== undefined && tls.mode !== "SIMPLE" && tls.mode !== "MUTUAL")
      issue("credentialName is for SIMPLE and MUTUAL only");
  });
export type ClientTls = z.output<typeof clientTls>;
