import { z } from "zod";
import { filePath, ipAddress, labels, maxItems, notImplemented } from "./fields.ts";
import { servicePort } from "./service-port.ts";

const host = z
  .string()
  .regex(
    /^([a-z0-9.*-]+\/)?(\*|(\*\.)?[A-Za-z0-9_]([A-Za-z0-9_.$-]{0,251}[A-Za-z0-9_])?)$/,
    "expected a host such as shop.example.com, *.example.com or *, with a namespace and / before it if need be",
  );

const versions = ["TLS_AUTO", "TLSV1_0", "TLSV1_1", "TLSV1_2", "TLSV1_3"] as const;

const tls = z
  .strictObject({
    httpsRedirect: z.boolean().default(false).describe("Plain calls are answered with a redirect to https."),
    mode: z
      .enum(["PASSTHROUGH", "SIMPLE", "MUTUAL", "OPTIONAL_MUTUAL", "AUTO_PASSTHROUGH", "ISTIO_MUTUAL"])
      .optional()
      .describe(
        "`SIMPLE`: TLS ends here. `MUTUAL`: and callers need a certificate, `OPTIONAL_MUTUAL`: may have one. `PASSTHROUGH`: passed on by server name. `ISTIO_MUTUAL`: with the mesh's certificates. `AUTO_PASSTHROUGH` is refused.",
      ),
    serverCertificate: filePath.optional().describe("A file on the gateway's machine (PEM)."),
    privateKey: filePath.optional().describe("A file on the gateway's machine (PEM)."),
    caCertificates: filePath
      .optional()
      .describe("A file on the gateway's machine (PEM) of who may sign callers' certificates."),
    credentialName: z.string().min(1).max(253).optional().describe("The name of a secret, instead of files."),
    credentialNames: notImplemented("use credentialName"),
    caCertCredentialName: notImplemented("use credentialName"),
    tlsCertificates: notImplemented("use serverCertificate and privateKey"),
    caCrl: notImplemented("lists of revoked certificates are not read"),
    subjectAltNames: z
      .array(z.string().min(1).max(1024))
      .max(maxItems)
      .default([])
      .describe("Callers' certificates must have one of these names."),
    verifyCertificateSpki: z
      .array(z.string().min(1).max(128))
      .max(maxItems)
      .default([])
      .describe("SHA-256 of callers' public keys, in base64."),
    verifyCertificateHash: z
      .array(z.string().min(1).max(128))
      .max(maxItems)
      .default([])
      .describe("SHA-256 of callers' certificates, in hex."),
    minProtocolVersion: z.enum(versions).optional().describe("`TLSV1_2` (default) …"),
    maxProtocolVersion: z.enum(versions).optional().describe("`TLSV1_3` (default) …"),
    cipherSuites: z
      .array(z.string().min(1).max(128))
      .max(maxItems)
      .default([])
      .describe("For TLS 1.2; OpenSSL's names."),
  })
  .superRefine((value, context) => {
    const issue = (message: string, ...path: string[]) => context.addIssue({ code: "custom", path, message });
    if (value.mode === "AUTO_PASSTHROUGH") issue("AUTO_PASSTHROUGH is not implemented: there is one network", "mode");
    const terminates = value.mode === "SIMPLE" || value.mode === "MUTUAL" || value.mode === "OPTIONAL_MUTUAL";
    const files = value.serverCertificate !== undefined && value.privateKey !== undefined;
    if (terminates && !files && value.credentialName === undefined)
      issue(`${value.mode} needs serverCertificate and privateKey, or credentialName`);
    if (value.serverCertificate !== undefined && value.credentialName !== undefined)
      issue("expected files or credentialName, not both");
    if (value.mode === "MUTUAL" && value.credentialName === undefined && value.caCertificates === undefined)
      issue("MUTUAL needs caCertificates, or credentialName");
  });
export type ServerTls = z.output<typeof tls>;

const server = z
  .strictObject({
    port: z
      .strictObject({ ...servicePort, targetPort: notImplemented("the gateway listens on number itself") })
      .describe("Where the gateway listens."),
    bind: ipAddress
      .optional()
      .describe(
        "The address that it listens on. Default: all, or loopback where the node is reached over loopback only.",
      ),
    hosts: z
      .array(host)
      .min(1)
      .max(maxItems)
      .describe(
        "For which hosts: `*`, `*.example.com`, a name; `namespace/…` or `./…`: for VirtualServices of that namespace only.",
      ),
    tls: tls.optional().describe("For HTTPS and TLS."),
    defaultEndpoint: notImplemented("use a VirtualService"),
    name: z.string().max(128).optional().describe("Has no effect but in statistics."),
  })
  .superRefine((value, context) => {
    const { protocol } = value.port;
    const needsTls = protocol === "HTTPS" || protocol === "TLS";
    if (needsTls && value.tls?.mode === undefined)
      context.addIssue({ code: "custom", path: ["tls"], message: `${protocol} needs tls with a mode` });
    if (!needsTls && value.tls?.mode !== undefined)
      context.addIssue({
        code: "custom",
        path: ["tls", "mode"],
        message: `${protocol} is plain: only HTTPS and TLS have a mode`,
      });
    if (value.tls?.httpsRedirect === true && needsTls)
      context.addIssue({ code: "custom", path: ["tls", "httpsRedirect"], message: "only on a plain HTTP port" });
    if (value.tls?.mode === "PASSTHROUGH" && protocol !== "TLS" && protocol !== "HTTPS")
      context.addIssue({ code: "custom", path: ["tls", "mode"], message: "PASSTHROUGH is for HTTPS and TLS" });
  });
export type GatewayServer = z.output<typeof server>;

/** The spec of a Gateway. */
export const gatewaySchema = z.strictObject({
  selector: labels
    .refine(
      (selector) => Object.keys(selector).length > 0,
      "expected a label: without one every sidecar would be a gateway",
    )
    .describe("Nodes that have all of these labels are this gateway; at least one."),
  servers: z.array(server).min(1).max(maxItems).describe("Ports that it listens on."),
});
export type Gateway = z.output<typeof gatewaySchema>;
