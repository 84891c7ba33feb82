import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { HeaderMap, streamFactory } from "@fairlead/proxy-stream";

/** h2specd gives a case 3 s, with the start of the command. */
const MOST_MS = 2000;
const nothing = (): void => {};

/** One request by the proxy's own HTTP/2. Resolves when its connection has ended, or has had its time. */
function request(target: URL): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(Number(target.port), target.hostname, () => {
      const connection = streamFactory("http2").createClient(socket, { onStreamDone: nothing, onClosed: finish }, {});
      const receiver = {
        onHead: nothing,
        onData: nothing,
        onTrailers: nothing,
        onReset: nothing,
        onWriteBlocked: nothing,
        onWritable: nothing,
      };
      const { pathname, host } = target;
      const head = {
        method: "GET",
        path: pathname,
        authority: host,
        scheme: "http",
        headers: new HeaderMap(),
      } as const;
      connection.openStream(receiver).sendHead(head, true);
    });
    const timer = setTimeout(finish, MOST_MS);
    function finish(): void {
      clearTimeout(timer);
      socket.destroy();
      resolve();
    }
    socket.on("error", finish);
  });
}

/**
 * Makes a request to each URL that is posted to it. h2specd starts a command for each of its cases and does not wait long for it:
 * the command is curl, which starts at once, and the client is here already.
 */
export class Http2TestClient implements AsyncDisposable {
  /** The URL is to be appended. */
  readonly command: string;
  readonly #server: Server;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.command = `curl -s http://127.0.0.1:${port}/ -d`;
  }

  static async start(): Promise<Http2TestClient> {
    const server = createServer((incoming, response) => void answer(incoming, response));
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("not bound");
    return new Http2TestClient(server, address.port);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

async function answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  await request(new URL(await text(incoming)));
  response.end();
}
