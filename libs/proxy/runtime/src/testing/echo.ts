import { Backend } from "./backend.ts";

/** What a host was asked. */
export interface Asked {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Answers with what it was asked. */
export function startEcho(): Promise<Backend> {
  return Backend.start((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => response.end(JSON.stringify({ url: request.url, headers: request.headers, body })));
  });
}

/** Reads an answer of it. */
export function askedIn(answer: string): Asked {
  const asked: Asked = JSON.parse(answer);
  return asked;
}
