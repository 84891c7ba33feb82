import type { z } from "zod";
import { previewedChangeSchema } from "./policies.ts";
import type { PolicyFile } from "./policy-file.ts";
import type { RegistryClient } from "./registry-client.ts";

type PreviewAnswer = z.output<typeof previewedChangeSchema>;

/** Longer than registry-sync's own limit: it compiles the whole mesh, and others may be before it. */
const timeoutMs = 120_000;

/** What applying a file would do. */
export async function previewApply(registry: RegistryClient, file: PolicyFile): Promise<PreviewAnswer> {
  return await registry.call({
    method: "PUT",
    path: `/v1/policies?${new URLSearchParams({ file: file.name, dryRun: "true" }).toString()}`,
    body: { type: "application/yaml", text: file.text },
    answer: previewedChangeSchema,
    timeoutMs,
  });
}

/** What removing a policy would do. */
export async function previewDelete(
  registry: RegistryClient,
  policy: { readonly kind: string; readonly namespace: string; readonly name: string },
): Promise<PreviewAnswer> {
  const path = [policy.kind, policy.namespace, policy.name].map(encodeURIComponent).join("/");
  return await registry.call({
    method: "DELETE",
    path: `/v1/policies/${path}?dryRun=true`,
    answer: previewedChangeSchema,
    timeoutMs,
  });
}
