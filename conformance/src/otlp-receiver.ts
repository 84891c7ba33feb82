import { createServer, type Server } from "node:http";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";

export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
}

/** Calls `visit` with each length-delimited field of a message. */
function eachField(bytes: Uint8Array, visit: (field: number, value: Uint8Array) => void): void {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (wireType === WireType.LengthDelimited) visit(field, reader.bytes());
    else reader.skip(wireType, field);
  }
}

/** The spans of an ExportTraceServiceRequest: resource_spans = 1, scope_spans = 2, spans = 2. */
function spansOf(request: Uint8Array): ReceivedSpan[] {
  const spans: ReceivedSpan[] = [];
  const hex = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString("hex");
  const at = (bytes: Uint8Array, wanted: number, visit: (value: Uint8Array) => void) =>
    eachField(bytes, (field, value) => {
      if (field === wanted) visit(value);
    });
  at(request, 1, (resource) =>
    at(resource, 2, (scope) =>
      at(scope, 2, (span) => {
        const fields = new Map<number, Uint8Array>();
        eachField(span, (field, value) => fields.set(field, value));
        spans.push({
          traceId: hex(fields.get(1)),
          spanId: hex(fields.get(2)),
          parentSpanId: hex(fields.get(4)),
          name: Buffer.from(fields.get(5) ?? []).toString("utf8"),
        });
      }),
    ),
  );
  return spans;
}

/** Takes spans by OTLP over HTTP, as a collector does. */
export class OtlpReceiver {
  readonly spans: ReceivedSpan[] = [];
  readonly #server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      this.spans.push(...spansOf(Buffer.concat(chunks)));
      response.writeHead(200, { "content-type": "application/x-protobuf" }).end();
    });
  });

  /** @returns the endpoint for FAIRLEAD_OTLP_ENDPOINT */
  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.#server.address() as { port: number }).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
