import { isIP } from "node:net";
import { z } from "zod";
import { exportTo, hostPattern, labels, maxItems, notImplemented, portNumber } from "./fields.ts";
import { portName, servicePort } from "./service-port.ts";
import { labelSelector } from "./workload-selector.ts";

const port = z.strictObject({
  ...servicePort,
  targetPort: portNumber.optional().describe("The endpoints' port. Default: `number`."),
});

const endpoint = z.strictObject({
  address: z
    .string()
    .regex(/^[A-Za-z0-9_:]([A-Za-z0-9_.:-]{0,251}[A-Za-z0-9_:.])?$/, "expected an address or a DNS name")
    .describe("An address; with DNS, a name too."),
  ports: z
    .record(portName, portNumber)
    .default({})
    .describe("Port name → its number here. Default: the entry's `targetPort`."),
  labels: labels.default({}).describe("For subsets."),
  locality: z.string().max(255).optional().describe("`region/zone/subzone`."),
  weight: z.number().int().min(1).max(10_000).optional().describe("The share of calls. Default: 1."),
  network: notImplemented("there is one network"),
  serviceAccount: notImplemented("endpoints have no identity of the mesh"),
});
export type ServiceEntryEndpoint = z.output<typeof endpoint>;

export const resolutions = ["NONE", "STATIC", "DNS", "DNS_ROUND_ROBIN"] as const;

/** The spec of a ServiceEntry. */
export const serviceEntrySchema = z
  .strictObject({
    hosts: z
      .array(hostPattern)
      .min(1)
      .max(maxItems)
      .describe("Names that callers use; `*.example.com` needs endpoints."),
    addresses: notImplemented("calls are not captured: callers use the host"),
    ports: z.array(port).min(1).max(maxItems).describe("Where it is called."),
    location: z
      .enum(["MESH_EXTERNAL", "MESH_INTERNAL"])
      .default("MESH_EXTERNAL")
      .describe("Has no effect: who wants TLS towards it says so in a DestinationRule."),
    resolution: z
      .enum(resolutions)
      .default("NONE")
      .describe(
        "`STATIC`: to the endpoints' addresses. `DNS`: to all that the names resolve to. `DNS_ROUND_ROBIN`: to one of them. `NONE` (default): to one of those that the host resolves to, as nothing else is known of a call that was not captured.",
      ),
    endpoints: z.array(endpoint).max(1000).default([]).describe("Who answers. Without any, DNS resolves `hosts`."),
    workloadSelector: labelSelector
      .optional()
      .describe("Instances of nodes that have these labels, instead of `endpoints`."),
    exportTo: exportTo.default(["*"]),
    subjectAltNames: z
      .array(z.string().min(1).max(1024))
      .max(maxItems)
      .default([])
      .describe("With tls of a DestinationRule: the endpoints' certificates must have one of these names."),
  })
  .superRefine((entry, context) => {
    const issue = (message: string, ...path: (string | number)[]) =>
      context.addIssue({ code: "custom", path, message });
    const named = new Set<string>();
    const numbered = new Set<number>();
    entry.ports.forEach(({ name, number }, index) => {
      if (named.has(name)) issue(`the port ${name} is there twice`, "ports", index, "name");
      if (numbered.has(number)) issue(`the port ${number} is there twice`, "ports", index, "number");
      named.add(name);
      numbered.add(number);
    });
    entry.endpoints.forEach(({ ports, address }, index) => {
      for (const name of Object.keys(ports))
        if (!named.has(name)) issue(`there is no port ${name}`, "endpoints", index, "ports", name);
      if (entry.resolution === "STATIC" && isIP(address) === 0)
        issue("expected an address: the resolution is STATIC", "endpoints", index, "address");
    });
    if (entry.endpoints.length > 0 && entry.workloadSelector !== undefined)
      issue("expected at most one of endpoints, workloadSelector");
    if (entry.resolution === "NONE" && entry.endpoints.length > 0)
      issue("the resolution NONE has no endpoints", "endpoints");
    if (entry.resolution === "STATIC" && entry.endpoints.length === 0 && entry.workloadSelector === undefined)
      issue("STATIC needs endpoints or workloadSelector");
    if (entry.workloadSelector !== undefined && entry.resolution !== "STATIC")
      issue("workloadSelector is for STATIC only", "workloadSelector");
    if (entry.resolution === "DNS_ROUND_ROBIN" && entry.endpoints.length > 1)
      issue("DNS_ROUND_ROBIN takes one endpoint", "endpoints");
    entry.hosts.forEach((host, index) => {
      if (host === "*") issue("expected a name", "hosts", index);
      else if (host.startsWith("*") && entry.endpoints.length === 0 && entry.workloadSelector === undefined)
        issue(
          "a wildcard needs endpoints: calls are not captured, so there is no address that was called",
          "hosts",
          index,
        );
    });
  });

export type ServiceEntry = z.output<typeof serviceEntrySchema>;
export type ServiceEntryPort = ServiceEntry["ports"][number];
