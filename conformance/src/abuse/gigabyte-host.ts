import { createServer as createHttp1 } from "node:http";
import { createServer as createHttp2 } from "node:http2";
import type { AddressInfo } from "node:net";
import type { Readable, Writable } from "node:stream";

export const GIB = 1024 * 1024 * 1024;
const piece = Buffer.alloc(256 * 1024, "g");

/** Writes so many bytes as fast as they are taken. */
export function pour(target: Writable, bytes: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let left = bytes;
    target.on("error", reject);
    const send = (): void => {
      while (left > 0) {
        const part = left < piece.length ? piece.subarray(0, left) : piece;
        left -= part.length;
        if (!target.write(part)) {
          target.once("drain", send);
          return;
        }
      }
      target.end(resolve);
    };
    send();
  });
}

/** Reads to the end. @returns how many bytes came */
export function drink(source: Readable): Promise<number> {
  return new Promise((resolve, reject) => {
    let bytes = 0;
    source.on("data", (chunk: Buffer) => (bytes += chunk.length));
    source.on("end", () => resolve(bytes));
    source.on("error", reject);
    source.on("aborted", () => reject(new Error("aborted")));
  });
}

export interface GigabyteHost extends AsyncDisposable {
  readonly port: number;
}

/** GET of `/large` gives a gibibyte, of all else a few bytes; POST is read to its end and answered with the number of bytes. */
export async function gigabyteHost(version: "http1" | "http2"): Promise<GigabyteHost> {
  const answer = async (what: string, incoming: Readable, outgoing: Writable): Promise<void> => {
    if (what.startsWith("POST")) {
      outgoing.end(String(await drink(incoming)));
      return;
    }
    incoming.resume();
    if (what === "GET /large") await pour(outgoing, GIB);
    else outgoing.end("small");
  };
  const server =
    version === "http1"
      ? createHttp1(
          (request, response) =>
            void answer(`${request.method} ${request.url}`, request, response).catch(() => undefined),
        )
      : createHttp2();
  server.on("stream", (stream, headers) => {
    stream.respond({ ":status": 200 });
    void answer(`${headers[":method"]} ${headers[":path"]}`, stream, stream).catch(() => undefined);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      if ("closeAllConnections" in server) server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
