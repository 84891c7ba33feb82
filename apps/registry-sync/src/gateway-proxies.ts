import { FairleadError } from "@fairlead/errors";
import type { Logger } from "@fairlead/logging";
import { z } from "zod";
import type { GatewayHosts } from "./gateway-hosts.ts";
import "./errors.ts";

const timeoutMs = 2000;
const maxAnswerBytes = 16 * 1024 * 1024;
/** Gateways asked at the same time. */
const concurrency = 16;

const answerSchema = z.object({ proxies: z.array(z.record(z.string(), z.unknown())) });
type ProxyEntry = z.output<typeof answerSchema>["proxies"][number];

interface Gateway {
  readonly id: string;
  /** As it announced it on the bus. */
  readonly debugUrl: string;
}

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

/** For whoever asks: what it was that answered, or did not, is in the log only. */
function reasonOf(caught: unknown): string {
  if (caught instanceof FairleadError) return caught.message;
  if (caught instanceof DOMException && caught.name === "TimeoutError") return `no answer within ${timeoutMs} ms`;
  // fetch itself says only "fetch failed".
  const failedConnection = caught instanceof TypeError && caught.message === "fetch failed";
  return failedConnection ? "it cannot be reached" : "its answer is not what /debug/syncz gives";
}

/** The words of the cause. */
function detailOf(caught: unknown): string {
  return caught instanceof Error && caught.cause instanceof Error
    ? caught.cause.message
    : FairleadError.from(caught).message;
}

async function ask(gateway: Gateway, hosts: GatewayHosts, signal: AbortSignal): Promise<ProxyEntry[]> {
  const url = URL.parse("/debug/syncz", gateway.debugUrl);
  const isWeb = url?.protocol === "http:" || url?.protocol === "https:";
  if (url === null || !isWeb || !(await hosts.allows(gateway.id, url.hostname))) {
    throw new FairleadError(
      "FL_GATEWAY_ADDRESS_REFUSED",
      "the address that it announces is neither its own nor in FAIRLEAD_GATEWAY_HOSTS",
    );
  }
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

export interface GatewayProxiesOptions {
  readonly hosts: GatewayHosts;
  readonly logger: Logger;
}

/** Asks every gateway for the proxies that are connected to it. One that does not answer is named with the reason. */
export async function mergeProxies(
  gateways: readonly Gateway[],
  { hosts, logger }: GatewayProxiesOptions,
  signal: AbortSignal,
): Promise<MergedProxies> {
  const asked: { id: string; error?: string }[] = [];
  const proxies: ProxyEntry[] = [];
  const queue = gateways.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const work = async () => {
    for (let gateway = queue.shift(); gateway !== undefined; gateway = queue.shift()) {
      const { id, debugUrl } = gateway;
      try {
        for (const proxy of await ask(gateway, hosts, signal)) proxies.push(proxy);
        asked.push({ id });
      } catch (caught) {
        logger.warn({ gateway: id, debugUrl, reason: detailOf(caught) }, "an ads-gateway's proxies are not known");
        asked.push({ id, error: reasonOf(caught) });
      }
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
  return { gateways: asked.toSorted((a, b) => (a.id < b.id ? -1 : 1)), proxies };
}
