import { type IncomingMessage, type OutgoingHttpHeaders, request } from "node:http";
import { request as requestWithTls } from "node:https";

const maxAnswerBytes = 4 * 1024 * 1024;

export interface HttpQuestion {
  readonly method: string;
  readonly headers: OutgoingHttpHeaders;
  readonly body?: string | undefined;
  readonly signal: AbortSignal;
}

export interface HttpAnswer {
  readonly status: number;
  readonly text: string;
}

/**
 * One request with its answer, over node:http, which keeps connections. Not over `fetch`: what is behind that takes 4 MiB in each proxy,
 * and nothing else there has use for it. Redirections are answers like others.
 *
 * Rejects with the signal's reason when it is aborted.
 */
export async function exchange(url: string, question: HttpQuestion): Promise<HttpAnswer> {
  const { method, headers, body, signal } = question;
  const ask = url.startsWith("https:") ? requestWithTls : request;
  try {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      ask(url, { method, headers, signal }, resolve)
        .on("error", reject)
        // Without an error where the answer is one that no request asks for: a switch to another protocol.
        .on("close", () => reject(new Error("the connection was closed without an answer")))
        .end(body);
    });
    return { status: response.statusCode ?? 0, text: await textOf(response) };
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.byteLength;
    if (length > maxAnswerBytes) throw new Error(`the answer is longer than ${maxAnswerBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
