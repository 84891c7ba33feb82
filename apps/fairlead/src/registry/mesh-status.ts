import { FairleadError } from "@fairlead/errors";
import { compilerSchema, refusalSchema } from "@fairlead/registration";
import { z } from "zod";
import { proxyReportSchema } from "./proxy-report.ts";
import type { RegistryClient } from "./registry-client.ts";

const gatewaysSchema = z.object({
  gateways: z.array(z.object({ id: z.string(), revision: z.number(), connected: z.number(), lastHeardMs: z.number() })),
});
const nacksSchema = z.object({ nacks: z.array(refusalSchema) });

/** To find out what the compiler rejects costs a compile of the whole mesh. */
const compilerTimeoutMs = 60_000;

/** What `fairlead status` shows: of each proxy, each gateway, the compiler, and what is refused. */
export type MeshStatus = Pick<z.output<typeof proxyReportSchema>, "proxies" | "unconnected"> & {
  readonly gateways: readonly (Partial<z.output<typeof gatewaysSchema>["gateways"][number]> & {
    readonly id: string;
    readonly error?: string | undefined;
  })[];
  /** With the reason where it could not be asked for. */
  readonly compiler: z.output<typeof compilerSchema> | { readonly error: string };
  /** Refusals that stand, the newest first. */
  readonly nacks: readonly z.output<typeof refusalSchema>[];
};

/** @throws FairleadError as RegistryClient does */
export async function readMeshStatus(registry: RegistryClient): Promise<MeshStatus> {
  const [report, { gateways }, { nacks }, compiler] = await Promise.all([
    registry.call({ path: "/v1/proxies", answer: proxyReportSchema }),
    registry.call({ path: "/v1/gateways", answer: gatewaysSchema }),
    registry.call({ path: "/v1/nacks?standing=true", answer: nacksSchema }),
    // PostgreSQL may be away: what the proxies have is then of the more interest.
    registry
      .call({ path: "/v1/compiler", answer: compilerSchema, timeoutMs: compilerTimeoutMs })
      .catch((caught: unknown) => ({ error: FairleadError.from(caught).message })),
  ]);
  const known = new Map(gateways.map((gateway) => [gateway.id, gateway]));
  return {
    ...report,
    gateways: report.gateways.map((asked) => ({ ...known.get(asked.id), ...asked })),
    compiler,
    nacks,
  };
}

/** After this time a proxy that has not answered is not merely slow. */
const noAnswerMs = 5000;

/** Sent, and the proxy says neither yes nor no: it hangs, is stopped, or its connection is dead. */
export function isSilent(
  { state, sinceMs }: { readonly state: string; readonly sinceMs: number },
  nowMs: number,
): boolean {
  return state === "SENT" && nowMs - sinceMs > noAnswerMs;
}

/** Whether anybody has to look. */
export function needsAttention(
  { gateways, proxies, unconnected = [], nacks, compiler }: MeshStatus,
  nowMs: number,
): boolean {
  return (
    nacks.length > 0 ||
    unconnected.length > 0 ||
    gateways.some(({ error }) => error !== undefined) ||
    proxies.some(({ types }) => types.some((type) => type.state === "NACKED" || isSilent(type, nowMs))) ||
    "error" in compiler ||
    !compiler.active ||
    (compiler.rejected ?? []).length > 0
  );
}
