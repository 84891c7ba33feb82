import type { MeshApp } from "../up/mesh-app.ts";

/** An answer as it came, and the parts of it that checks look at. */
export interface SidecarAnswer {
  readonly status: number;
  readonly errNo: number;
  readonly revision: number;
  readonly converged: boolean;
  readonly proxies: number;
  /** Short, for people. */
  readonly text: string;
}

interface AnswerBody {
  readonly err_no?: number;
  readonly err_msg?: string;
  readonly revision?: number;
  readonly convergence?: { readonly converged?: boolean; readonly proxies?: number };
}

/** Asks a sidecar's local API, as the application beside it does. */
export async function askSidecar(app: MeshApp, operation: "pub" | "unpub", service: object): Promise<SidecarAnswer> {
  const response = await fetch(`http://127.0.0.1:${app.ports.api}/${operation}?wait=converged&timeout=15s`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ service }),
    signal: AbortSignal.timeout(20_000),
  });
  const body = (await response.json()) as AnswerBody;
  const converged = body.convergence?.converged === true;
  const proxies = body.convergence?.proxies ?? 0;
  const outcome = converged ? `converged on ${proxies} proxies` : "not converged";
  return {
    status: response.status,
    errNo: body.err_no ?? -1,
    revision: body.revision ?? 0,
    converged,
    proxies,
    text: `${response.status} err_no ${body.err_no ?? "?"} "${body.err_msg ?? ""}", revision ${body.revision ?? "?"}, ${outcome}`,
  };
}
