import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { Server as TcpServer } from "node:net";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { FairleadError } from "@fairlead/errors";
import "./errors.ts";
import { inTurns } from "./in-turns.ts";

/** What the HTTP APIs of a product have in common. */
export interface AdminManners {
  /** Why a request must be refused, as it may be a web page's; undefined for none. */
  refusalOf(request: IncomingMessage): FairleadError | undefined;
  answerOf(error: unknown): { readonly status: number; readonly body: object; readonly error: FairleadError };
  /** A page failed. */
  onFailure(error: FairleadError): void;
}

/** One page. A `POST` page changes something and has no other method; all others are read with GET. */
export interface AdminPage {
  readonly method: "GET" | "POST";
  readonly help: string;
  /** Answers with text, or with an object as JSON. */
  show(query: URLSearchParams, raw: RawAnswer): AdminAnswer;
}

/** For a page that writes to the response itself. */
export interface RawAnswer {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Text that is long: it is made as fast as the reader takes it, and nobody waits for it. Ends the response. */
  writePieces(pieces: Iterable<string>): void;
}

export interface AdminAnswer {
  /** @default 200 */
  readonly status?: number;
  /** undefined = the page has written to the response itself. */
  readonly body: string | object | JsonText | undefined;
}

/** JSON that is long: it is made piece by piece, as fast as the reader takes it. */
export class JsonText {
  readonly pieces: Iterable<string>;

  constructor(pieces: Iterable<string>) {
    this.pieces = pieces;
  }
}

/**
 * The admin pages, by Envoy's names. Nobody is asked who they are: where the port is open to others (for Prometheus, say), they can
 * read, and only those on this host can change something.
 */
export class AdminServer {
  readonly #pages: ReadonlyMap<string, AdminPage>;
  readonly #manners: AdminManners;
  readonly #server: Server;

  constructor(pages: Readonly<Record<string, AdminPage>>, manners: AdminManners) {
    this.#pages = new Map(Object.entries(pages));
    this.#manners = manners;
    this.#server = createServer({ maxHeaderSize: 16 * 1024, requestTimeout: 10_000 }, (request, response) => {
      // No page takes a body.
      request.resume();
      try {
        this.#answer(request, response);
      } catch (caught) {
        const { status, body, error } = manners.answerOf(caught);
        if (status >= 500) manners.onFailure(error);
        send(response, { status, body });
      }
    });
  }

  /**
   * @param handle of a socket that is bound already, as `net.Server.listen` takes it
   * @returns the port
   * @throws FairleadError FL_LISTEN_FAILED
   */
  async listen(bind: string, port: number, handle?: object): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", (cause) => {
        reject(
          new FairleadError("FL_LISTEN_FAILED", `the admin pages cannot listen on ${bind}:${port}: ${cause.message}`, {
            facts: { bind, port },
            cause,
          }),
        );
      });
      if (handle === undefined) this.#server.listen(port, bind, resolve);
      else this.#server.listen(handle, resolve);
    });
    const address = this.#server.address();
    return typeof address === "object" && address !== null ? address.port : port;
  }

  /** Answers those that are connected, each once more. */
  stopAccepting(): void {
    this.#server.prependListener("request", (_request, response) => response.setHeader("connection", "close"));
    // Not HTTP's own close: that would cut connections whose request is on its way.
    if (this.#server.listening) TcpServer.prototype.close.call(this.#server);
  }

  async close(): Promise<void> {
    if (!this.#server.listening) {
      this.#server.closeAllConnections();
      return;
    }
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const refusal = this.#manners.refusalOf(request);
    if (refusal !== undefined) throw refusal;
    const url = URL.parse(`http://admin${request.url ?? "/"}`);
    if (url === null) throw new FairleadError("FL_REQUEST_MALFORMED", "the request's target is not a path");
    const { pathname, searchParams } = url;
    if (pathname === "/" || pathname === "/help") return send(response, { body: this.#help() });
    const page = this.#pages.get(pathname);
    if (page === undefined)
      throw new FairleadError("FL_NOT_FOUND", `there is no admin page ${pathname}; /help lists all`);
    const method = request.method === "HEAD" ? "GET" : request.method;
    if (method !== page.method) {
      return send(response, { status: 405, body: `${pathname} takes ${page.method} only\n` }, { allow: page.method });
    }
    if (method === "POST" && !isOnThisHost(request.socket.remoteAddress)) {
      throw new FairleadError(
        "FL_ADMIN_PEER_REFUSED",
        `${pathname} changes something: it is taken from loopback only, not from ${request.socket.remoteAddress}`,
      );
    }
    const answer = page.show(searchParams, {
      request,
      response,
      writePieces: (pieces) => void this.#writePieces(response, pieces),
    });
    if (!(answer.body instanceof JsonText)) return send(response, answer);
    response.writeHead(200, headersOf("application/json"));
    void this.#writePieces(response, answer.body.pieces);
  }

  async #writePieces(response: ServerResponse, pieces: Iterable<string>): Promise<void> {
    try {
      await pipeline(Readable.from(inTurns(pieces)), response);
    } catch (error) {
      // Else the reader has gone away.
      if (!response.socket?.destroyed) this.#manners.onFailure(FairleadError.from(error));
      response.destroy();
    }
  }

  #help(): string {
    return `${[...this.#pages].map(([path, { method, help }]) => `  ${path}${method === "POST" ? " (POST)" : ""}: ${help}`).join("\n")}\n`;
  }
}

/** A client that has gone has no address. */
function isOnThisHost(address: string | undefined): boolean {
  return address !== undefined && /^(?:::ffff:)?127\.|^::1$/.test(address);
}

function send(response: ServerResponse, answer: AdminAnswer, headers: Readonly<Record<string, string>> = {}): void {
  if (answer.body === undefined) return;
  const isText = typeof answer.body === "string";
  response.writeHead(answer.status ?? 200, {
    ...headersOf(isText ? "text/plain; charset=utf-8" : "application/json"),
    ...headers,
  });
  response.end(isText ? answer.body : `${JSON.stringify(answer.body, undefined, 1)}\n`);
}

function headersOf(contentType: string): Record<string, string> {
  return {
    "content-type": contentType,
    "cache-control": "no-cache, max-age=0",
    "x-content-type-options": "nosniff",
  };
}
