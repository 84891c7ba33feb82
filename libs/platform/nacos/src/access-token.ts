import { z } from "zod";
import { isAccessDenied, refused, unavailable } from "./nacos-error.ts";
import { authorityOf, type NacosAddress } from "./server-addresses.ts";

export interface NacosCredentials {
  readonly username: string;
  /** Asked at each login, so that a password may change while the process runs. */
  readonly password: () => Promise<string>;
}

export interface AccessTokenOptions {
  readonly servers: readonly NacosAddress[];
  readonly credentials: NacosCredentials;
  /** Milliseconds. @default 3000 */
  readonly timeoutMs?: number;
  readonly now?: () => number;
}

const answerSchema = z.object({ accessToken: z.string().min(1), tokenTtl: z.number().positive() });
/** Nacos 3 has moved it, and older servers have only the first. */
const paths = ["/nacos/v1/auth/login", "/nacos/v3/auth/user/login"];
const maxAnswerBytes = 64 * 1024;

/** A token for a user and password, by HTTP; a new one is fetched when a fifth of its time is left. It is in no message and no log. */
export class AccessToken {
  readonly #options: AccessTokenOptions;
  #token: string | undefined;
  #renewAtMs = 0;
  #running: Promise<string> | undefined;

  constructor(options: AccessTokenOptions) {
    this.#options = options;
  }

  /** @throws FairleadError FL_NACOS_UNAVAILABLE, FL_NACOS_REFUSED */
  async get(): Promise<string> {
    if (this.#token !== undefined && this.#now() < this.#renewAtMs) return this.#token;
    this.#running ??= this.#login().finally(() => (this.#running = undefined));
    return await this.#running;
  }

  /** A server did not take this one: the next `get` logs in again. */
  reject(token: string): void {
    if (this.#token === token) this.#token = undefined;
  }

  #now(): number {
    return (this.#options.now ?? (() => performance.now()))();
  }

  async #login(): Promise<string> {
    const { servers, credentials } = this.#options;
    const password = await credentials.password();
    let last: unknown;
    for (const server of servers) {
      for (const path of paths) {
        try {
          const answer = await this.#ask(server, path, password);
          if (answer === undefined) continue;
          this.#token = answer.accessToken;
          this.#renewAtMs = this.#now() + answer.tokenTtl * 1_000 * 0.8;
          return answer.accessToken;
        } catch (error) {
          if (isAccessDenied(error)) throw error;
          last = error;
        }
      }
    }
    throw unavailable("no Nacos server could be asked for an access token", last);
  }

  /** @returns undefined where this server has no such path */
  async #ask({ host, port }: NacosAddress, path: string, password: string) {
    const { credentials, timeoutMs = 3_000 } = this.#options;
    const url = `http://${authorityOf(host, port)}${path}`;
    const body = new URLSearchParams({ username: credentials.username, password });
    const answer = await fetch(url, { method: "POST", body, signal: AbortSignal.timeout(timeoutMs) });
    if (answer.status === 404 || answer.status === 410 || answer.status === 501) {
      await answer.body?.cancel();
      return undefined;
    }
    if (!answer.ok) {
      await answer.body?.cancel();
      throw refused("login", answer.status, `status ${answer.status}`);
    }
    const parsed = answerSchema.safeParse(parseJson(await readAtMost(answer, maxAnswerBytes)));
    // What else was answered may hold a token.
    if (!parsed.success) throw unavailable("a Nacos server answered a login with something else than a token");
    return parsed.data;
  }
}

async function readAtMost(answer: Response, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of answer.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) throw unavailable(`a Nacos server answered a login with more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
