import { FairleadError } from "@fairlead/errors";
import { z } from "zod";

const timeoutMs = 2000;
const maxAnswerBytes = 16 * 1024 * 1024;
/** Gateways asked at the same time. */
const concurrency = 16;

const answerSchema = z.object({ proxies: z.array(z.record(z.string(), z.unknown())) });
type ProxyEntry = z.output<typeof answerSchema>["proxies"][number];

export interface MergedProxies {
  readonly gateways: readonly { readonly id: string; readonly error?: string }[];
  /** As the gateways give them, with the gateway's id. */
  readonly proxies: readonly ProxyEntry[];
}

async function readBounded(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.byteLength;
    if (length > maxAnswerBytes) throw new Error(`its answer is longer than ${maxAnswerBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** The words of the cause: fetch itself says only "fetch failed". */
function reasonOf(caught: unknown): string {
  if (caught instanceof DOMException && caught.name === "TimeoutError") return `no answer within ${timeoutMs} ms`;
  if (caught instanceof SyntaxError || caught instanceof z.ZodError) return "its answer is not what /debug/syncz gives";
  if (caught instanceof Error && caught.cause instanceof Error) return caught.cause.message;
  return FairleadError.from(caught).message;
}

async function ask(gateway: { id: string; debugUrl: string }, signal: AbortSignal): Promise<ProxyEntry[]> {
  const url = new URL("/debug/syncz", gateway.debugUrl);
  if (url.protocol !== "http:" && url.protocol !== "https:") throw new Error(`its debug URL is ${url.protocol}//…`);
  const response = await fetch(url, {
    redirect: "error",
    signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
  });
  if (!response.ok) {
    await response.body?.cancel();
    throw new Error(`it answers HTTP ${response.status}`);
  }
  return answerSchema
    .parse(JSON.parse(await readBounded(response)))
    .proxies.map((proxy) => ({ ...proxy, gateway: gateway.id }));
}

/** Asks every gateway for the proxies that are connected to it. One that does not answer is named with the reason. */
export async function mergeProxies(
  gateways: readonly { id: string; debugUrl: string }[],
  signal: AbortSignal,
): Promise<MergedProxies> {
  const asked: { id: string; error?: string }[] = [];
  const proxies: ProxyEntry[] = [];
  const queue = gateways.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const work = async () => {
    for (let gateway = queue.shift(); gateway !== undefined; gateway = queue.shift()) {
      const { id } = gateway;
      try {
        for (const proxy of await ask(gateway, signal)) proxies.push(proxy);
        asked.push({ id });
      } catch (caught) {
        asked.push({ id, error: reasonOf(caught) });
      }
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
  return { gateways: asked.toSorted((a, b) => (a.id < b.id ? -1 : 1)), proxies };
}
