import { createServer, type Server } from "node:net";
import { HeaderMap, streamFactory } from "@fairlead/proxy-stream";
import { TimerWheel } from "@fairlead/timer-wheel";

const body = Buffer.from("answered by Fairlead\n");

/** The proxy's own HTTP/2, with nothing behind it: each request is answered 200 with a body when it is complete. */
export class Http2TestServer implements AsyncDisposable {
  readonly port: number;
  readonly #server: Server;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
  }

  static async start(): Promise<Http2TestServer> {
    const wheel = new TimerWheel();
    const server = createServer((socket) => {
      streamFactory("http2").createServer(
        socket,
        {
          onStream(sender) {
            const answer = (): void => {
              sender.sendHead({ status: 200, headers: new HeaderMap(["content-type", "text/plain"]) }, false);
              sender.sendData(body, true);
            };
            const onEnd = (endStream: boolean): void => {
              if (endStream) answer();
            };
            return {
              onHead: (_head, endStream) => onEnd(endStream),
              onData: (_chunk, endStream) => onEnd(endStream),
              onTrailers: answer,
              onReset() {},
              onWriteBlocked() {},
              onWritable() {},
            };
          },
          onProtocolError() {},
          onClosed() {},
        },
        { wheel },
      );
    });
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("not bound");
    return new Http2TestServer(server, address.port);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
