/**
 * What the gateway is measured against: at each commit, everything to everybody. As good as that can be: the bytes of a commit are made
 * once for all streams, and a stream that has not taken the last push is left out until it has.
 */
import { createServer } from "node:http";
import { buckets } from "@fairlead/bus";
import { connectNats } from "@fairlead/bus-nats";
import { createLogger } from "@fairlead/logging";
import { pushOrder, SnapshotReplica } from "@fairlead/snapshot";
import { Server, ServerCredentials, type ServerDuplexStream } from "@grpc/grpc-js";
import { path, type Variant } from "../load/variant.ts";
import { eachField } from "../load/wire.ts";
import { encodeBody, withNonce } from "./full-response.ts";

type Call = ServerDuplexStream<Buffer, Buffer>;

const setting = (name: string) => process.env[`FAIRLEAD_${name}`] ?? "";
const logger = createLogger({ service: "full-push", level: "warn" });
const replica = new SnapshotReplica({ onCommit: () => pushToAll(), onSkipped: () => undefined });
const streams = new Set<FullPushStream>();
/** Of the last commit, by variant and type. */
const bodies = new Map<string, Buffer>();
let nonces = 0;

function bodyOf(variant: Variant, typeUrl: string): Buffer {
  const key = `${variant} ${typeUrl}`;
  const body =
    bodies.get(key) ?? encodeBody(variant, typeUrl, replica.everything().resources(typeUrl), String(replica.revision));
  bodies.set(key, body);
  return body;
}

/** It sends a type as soon as it is asked for, and at each commit. What is asked for by name is taken for everything. */
class FullPushStream {
  readonly #call: Call;
  readonly #variant: Variant;
  readonly #types = new Set<string>();
  #untaken = 0;
  #missed = false;

  constructor(call: Call, variant: Variant) {
    this.#call = call;
    this.#variant = variant;
    streams.add(this);
    call.on("data", (request: Buffer) => this.#request(request));
    call.on("end", () => call.end());
    call.on("error", () => streams.delete(this));
    call.on("close", () => streams.delete(this));
    call.on("cancelled", () => streams.delete(this));
  }

  #request(request: Buffer): void {
    const typeUrlNumber = this.#variant === "delta" ? 2 : 4;
    let typeUrl = "";
    eachField(request, 0, request.byteLength, ({ number, start, end }) => {
      if (number === typeUrlNumber) typeUrl = request.toString("latin1", start, end);
    });
    if (this.#types.has(typeUrl)) return;
    this.#types.add(typeUrl);
    this.#send(typeUrl);
  }

  push(): void {
    this.#missed = this.#untaken > 0;
    if (this.#missed) return;
    for (const typeUrl of pushOrder) if (this.#types.has(typeUrl)) this.#send(typeUrl);
  }

  #send(typeUrl: string): void {
    this.#untaken += 1;
    this.#call.write(withNonce(bodyOf(this.#variant, typeUrl), String(++nonces)), () => {
      this.#untaken -= 1;
      if (this.#untaken === 0 && this.#missed) this.push();
    });
  }
}

function pushToAll(): void {
  bodies.clear();
  for (const stream of streams) stream.push();
}

function method(variant: Variant) {
  const asIs = (bytes: Buffer) => bytes;
  return {
    path: path(variant),
    requestStream: true,
    responseStream: true,
    requestDeserialize: asIs,
    requestSerialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
  } as const;
}

const bus = await connectNats({ servers: setting("NATS_URL"), name: "full-push", logger });
const server = new Server({ "grpc.max_send_message_length": -1, "grpc.max_concurrent_streams": 100_000 });
server.addService(
  { sotw: method("sotw"), delta: method("delta") },
  {
    sotw: (call: Call) => new FullPushStream(call, "sotw"),
    delta: (call: Call) => new FullPushStream(call, "delta"),
  },
);
const bucket = await bus.keyValue(buckets.xds);
bucket.watch(replica);
createServer((_request, response) => response.writeHead(replica.synced ? 200 : 503).end()).listen(
  Number(setting("HTTP_PORT")),
  "127.0.0.1",
);
server.bindAsync(`127.0.0.1:${setting("GRPC_PORT")}`, ServerCredentials.createInsecure(), (error) => {
  if (error !== null) throw error;
});
