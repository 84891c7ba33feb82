import {
  connectionDefaults,
  Http2ClientConnection,
  type Http2ConnectionOptions,
  type Http2RequestHead,
  type Http2ResponseHead,
  Http2ServerConnection,
  Http2Stats,
  type StreamReset,
  type StreamSink,
} from "@fairlead/codec-http2";

/** What a stream was told. Parts of a body are joined, as they depend on how bytes were split. */
class Told<Head> implements StreamSink<Head> {
  readonly events: unknown[] = [];
  #body = "";
  readonly #onHead: () => void;

  constructor(onHead: () => void = () => undefined) {
    this.#onHead = onHead;
  }

  onHead(head: Head, endStream: boolean): void {
    this.events.push(head, endStream);
    this.#onHead();
  }

  onData(slice: Buffer, endStream: boolean): void {
    this.#body += slice.toString("latin1");
    if (endStream) this.events.push(this.#body, endStream);
  }

  onTrailers(headers: string[]): void {
    this.events.push(this.#body, headers);
  }

  onReset(reset: StreamReset): void {
    this.events.push(reset);
  }

  onWriteBlocked(): void {}
  onWritable(): void {}

  onClosed(): void {
    this.events.push("closed");
  }
}

export interface Peer {
  receive(piece: Buffer): void;
  /** All that it told and all that it sent. */
  outcome(): { readonly told: readonly unknown[]; readonly sent: string };
}

function options(flags: number): Http2ConnectionOptions {
  return {
    ...connectionDefaults,
    allowConnect: (flags & 4) !== 0,
    ...((flags & 8) === 0
      ? {}
      : { streamWindowBytes: 100, connectionWindowBytes: 65_535, maxHeldBytes: 200, maxHeadBytes: 200, maxHeaders: 6 }),
    stats: new Http2Stats(),
    now: () => 0,
    onOutput: () => undefined,
  };
}

function sentBy(end: Http2ClientConnection | Http2ServerConnection): string {
  const bytes = Buffer.concat(end.takeOutput());
  end.onOutputTaken(false, true);
  return bytes.toString("hex");
}

/** A server that answers when a head has come, or only listens. */
export function serverPeer(flags: number): Peer {
  const told: Told<Http2RequestHead>[] = [];
  const server = new Http2ServerConnection(
    {
      onStream(stream) {
        const sink = new Told<Http2RequestHead>(() => {
          if ((flags & 2) === 0) return;
          server.sendHead(stream, 200, ["x", "y"], undefined, false);
          server.sendData(stream, Buffer.alloc(300, "d"), false);
          if ((flags & 16) === 0) server.sendTrailers(stream, ["t", "u"]);
          else server.setReading(stream, false);
        });
        told.push(sink);
        return sink;
      },
      onRefused: () => undefined,
    },
    options(flags),
  );
  return {
    receive: (piece) => server.receive(piece),
    outcome: () => ({ told: told.map(({ events }) => events), sent: sentBy(server) }),
  };
}

/** A client with three requests under way. */
export function clientPeer(flags: number): Peer {
  const client = new Http2ClientConnection({ onGoAway: () => undefined, onSettings: () => undefined }, options(flags));
  const told = ["GET", "HEAD", "POST"].map((method) => {
    const sink = new Told<Http2ResponseHead>();
    const stream = client.openStream(sink);
    const post = method === "POST";
    client.sendHead(stream, { method, path: "/", authority: "a", scheme: "http" }, [], undefined, !post);
    if (post) client.sendData(stream, Buffer.alloc(70_000), (flags & 2) !== 0);
    return sink;
  });
  return {
    receive: (piece) => client.receive(piece),
    outcome: () => ({ told: told.map(({ events }) => events), sent: sentBy(client) }),
  };
}
