import { type ClientHttp2Session, connect, constants } from "node:http2";
import type { LoadClient, LoadTarget } from "./load-client.ts";

/** HTTP/2 by prior knowledge with node:http2: a session that was told to go is left, its streams end on it. */
export class Http2Client implements LoadClient {
  readonly #target: LoadTarget;
  #session: ClientHttp2Session | undefined;

  constructor(target: LoadTarget) {
    this.#target = target;
  }

  request(): Promise<void> {
    const { host, path = "/" } = this.#target;
    return new Promise((resolve, reject) => {
      const stream = this.#current().request({ ":path": path, ":authority": host });
      let status = 0;
      let ended = false;
      stream.on("response", (headers) => (status = headers[":status"] ?? 0));
      stream.on("data", () => undefined);
      stream.on("end", () => (ended = true));
      stream.on("error", reject);
      stream.on("close", () => {
        if (status === 200 && ended && stream.rstCode === constants.NGHTTP2_NO_ERROR) resolve();
        else reject(new Error(`the stream closed with ${stream.rstCode} after status ${status}`));
      });
      stream.end();
    });
  }

  close(): void {
    this.#session?.destroy();
  }

  #current(): ClientHttp2Session {
    if (this.#session?.closed === false && !this.#session.destroyed) return this.#session;
    const session = connect(`http://127.0.0.1:${this.#target.port}`);
    this.#session = session;
    const leave = (): void => {
      if (this.#session === session) this.#session = undefined;
    };
    session.on("goaway", leave);
    session.on("close", leave);
    // Its streams tell.
    session.on("error", leave);
    return session;
  }
}
