import { type AbuseLimits, defaultAbuseLimits } from "../abuse-guard.ts";
import { Http2ClientConnection } from "../client-connection.ts";
import { connectionDefaults, type Http2ConnectionOptions } from "../connection-options.ts";
import { Http2Stats } from "../http2-stats.ts";
import type { Http2RequestHead, Http2ResponseHead } from "../message-head.ts";
import { Http2ServerConnection, type Http2ServerStream } from "../server-connection.ts";
import type { StreamReset, StreamSink } from "../stream.ts";

/** Remembers what a stream was told; parts of one body are joined, as they depend on how bytes were split. */
export class Recorder<Head extends Http2RequestHead | Http2ResponseHead> implements StreamSink<Head> {
  readonly told: unknown[] = [];
  body = "";
  blocked = 0;
  writable = 0;

  onHead(head: Head, endStream: boolean): void {
    this.told.push(head);
    if (endStream) this.told.push("end");
  }

  onData(slice: Buffer, endStream: boolean): void {
    this.body += slice.toString("latin1");
    if (endStream) this.told.push(this.body, "end");
  }

  onTrailers(headers: string[]): void {
    this.told.push(this.body, headers, "end");
  }

  onReset(reset: StreamReset): void {
    this.told.push(reset);
  }

  onWriteBlocked(): void {
    this.blocked++;
  }

  onWritable(): void {
    this.writable++;
  }

  onClosed(): void {
    this.told.push("closed");
  }
}

export interface ServerEnd {
  readonly server: Http2ServerConnection;
  readonly stats: Http2Stats;
  /** In the order of their arrival. */
  readonly streams: Http2ServerStream[];
  readonly recorders: Recorder<Http2RequestHead>[];
  readonly refused: number[];
  readonly clock: { nowMs: number };
}

type Settable = Partial<Omit<Http2ConnectionOptions, "abuse" | "stats" | "now" | "onOutput">> & {
  readonly abuse?: Partial<AbuseLimits>;
};

function optionsOf(settable: Settable, stats: Http2Stats, now: () => number): Http2ConnectionOptions {
  return {
    ...connectionDefaults,
    ...settable,
    abuse: { ...defaultAbuseLimits, ...settable.abuse },
    stats,
    now,
    onOutput: () => undefined,
  };
}

export function serverEnd(settable: Settable = {}): ServerEnd {
  const stats = new Http2Stats();
  const streams: Http2ServerStream[] = [];
  const recorders: Recorder<Http2RequestHead>[] = [];
  const refused: number[] = [];
  const clock = { nowMs: 0 };
  return {
    server: new Http2ServerConnection(
      {
        onStream(stream) {
          const recorder = new Recorder<Http2RequestHead>();
          streams.push(stream);
          recorders.push(recorder);
          return recorder;
        },
        onRefused: (status) => refused.push(status),
      },
      optionsOf(settable, stats, () => clock.nowMs),
    ),
    stats,
    streams,
    recorders,
    refused,
    clock,
  };
}

export interface ClientEnd {
  readonly client: Http2ClientConnection;
  readonly stats: Http2Stats;
  goAways: number;
}

export function clientEnd(settable: Settable = {}): ClientEnd {
  const stats = new Http2Stats();
  const end: ClientEnd = {
    client: new Http2ClientConnection(
      { onGoAway: () => end.goAways++, onSettings: () => undefined },
      optionsOf(settable, stats, () => 0),
    ),
    stats,
    goAways: 0,
  };
  return end;
}

/** All that an end has to say. */
export function output(end: Http2ClientConnection | Http2ServerConnection): Buffer {
  const bytes = Buffer.concat(end.takeOutput());
  end.onOutputTaken(false, true);
  return bytes;
}

/** Lets both ends talk until neither has anything to say. */
export function settle(client: Http2ClientConnection, server: Http2ServerConnection): void {
  for (;;) {
    const requests = output(client);
    if (requests.length > 0) server.receive(requests);
    const responses = output(server);
    if (responses.length > 0) client.receive(responses);
    if (requests.length === 0 && responses.length === 0) return;
  }
}
