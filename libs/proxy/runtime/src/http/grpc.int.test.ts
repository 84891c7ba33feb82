import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "@fairlead/testing-basics";
import { Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { type BytesHandlers, GrpcBackend, GrpcCaller } from "../testing/grpc-peers.ts";
import { http2Cluster } from "../testing/http2-cluster.ts";
import { TestProxy } from "../testing/proxy.ts";
import { listener, routes, toCluster } from "../testing/resources.ts";

const MIB = 1024 * 1024;
const same = (bytes: Buffer): Buffer => bytes;

interface Mesh extends AsyncDisposable {
  readonly backend: GrpcBackend;
  readonly caller: GrpcCaller;
  /** The caller's and the host's. */
  readonly proxies: readonly TestProxy[];
}

/** Client → sidecar → sidecar → server, as the mesh has it. */
async function mesh(handlers: BytesHandlers): Promise<Mesh> {
  const backend = await GrpcBackend.start(handlers);
  const inbound = await TestProxy.start({
    clusters: [http2Cluster("app", [backend.port])],
    listeners: [listener("in", 0)],
    routes: [routes("in", toCluster("*", "app"))],
  });
  const outbound = await TestProxy.start({
    clusters: [http2Cluster("svc", [inbound.port("in")])],
    listeners: [listener("out", 0)],
    routes: [routes("out", toCluster("test.Bytes", "svc"))],
  });
  const caller = new GrpcCaller(outbound.port("out"), "test.Bytes");
  return {
    backend,
    caller,
    proxies: [outbound, inbound],
    async [Symbol.asyncDispose]() {
      caller[Symbol.dispose]();
      await outbound[Symbol.asyncDispose]();
      await inbound[Symbol.asyncDispose]();
      await backend[Symbol.asyncDispose]();
    },
  };
}

function failure(call: Promise<unknown>): Promise<ServiceError> {
  return call.then(
    () => assert.fail("the call did not fail"),
    (error: unknown) => error as ServiceError,
  );
}

test("a unary call, its metadata and its trailers", async () => {
  await using it = await mesh({
    unary(call, answer) {
      const trailers = new Metadata();
      trailers.set("x-trailer", "t");
      trailers.set("x-blob-bin", Buffer.from([0, 1, 255]));
      call.sendMetadata(new Metadata());
      answer(null, Buffer.concat([Buffer.from(String(call.metadata.get("x-asked")[0])), call.request]), trailers);
    },
  });
  const metadata = new Metadata();
  metadata.set("x-asked", "why");
  const trailers = await new Promise<Metadata>((resolve, reject) => {
    let body: Buffer | undefined;
    const call = it.caller.client.makeUnaryRequest(
      "/test.Bytes/Unary",
      same,
      same,
      Buffer.from("!"),
      metadata,
      (error, value) => {
        if (error !== null) reject(error);
        body = value;
      },
    );
    call.on("status", (end) => {
      assert.equal(end.code, status.OK);
      assert.equal(body?.toString() ?? "why!", "why!");
      resolve(end.metadata);
    });
  });
  assert.deepEqual(trailers.get("x-trailer"), ["t"]);
  assert.deepEqual(trailers.get("x-blob-bin"), [Buffer.from([0, 1, 255])]);
});

test("100 calls at the same time share one connection on each hop", async () => {
  await using it = await mesh({ unary: (call, answer) => void setImmediate(() => answer(null, call.request)) });
  const answers = await Promise.all(Array.from({ length: 100 }, (_, i) => it.caller.unary(Buffer.from(`call ${i}`))));
  assert.deepEqual(
    answers.map(String),
    Array.from({ length: 100 }, (_, i) => `call ${i}`),
  );
  for (const proxy of it.proxies) {
    assert.equal(proxy.stat(`http.${proxy === it.proxies[0] ? "out" : "in"}.downstream_cx_http2_total`), 1);
    assert.equal(proxy.stat(`cluster.${proxy === it.proxies[0] ? "svc" : "app"}.upstream_cx_total`), 1);
  }
});

test("an error of the server comes as it was, before and after the first message", async () => {
  await using it = await mesh({
    unary: (_call, answer) => answer({ code: status.FAILED_PRECONDITION, details: "nö: 50 %" }),
    list(call) {
      call.write(Buffer.from("one"));
      call.emit("error", { code: status.DATA_LOSS, details: "broken" });
    },
  });
  const refused = await failure(it.caller.unary(Buffer.alloc(0)));
  assert.deepEqual([refused.code, refused.details], [status.FAILED_PRECONDITION, "nö: 50 %"]);
  const seen: string[] = [];
  const call = it.caller.client.makeServerStreamRequest("/test.Bytes/List", same, same, Buffer.alloc(0));
  const error = await new Promise<ServiceError>((resolve) => {
    call.on("data", (chunk: Buffer) => seen.push(chunk.toString()));
    call.on("error", (caught) => resolve(caught as ServiceError));
  });
  assert.deepEqual([seen, error.code, error.details], [["one"], status.DATA_LOSS, "broken"]);
});

test("streams both ways at the same time, in order", async () => {
  await using it = await mesh({
    talk(call) {
      call.on("data", (chunk: Buffer) => void call.write(Buffer.concat([Buffer.from("re: "), chunk])));
      call.on("end", () => call.end());
    },
    collect(call, answer) {
      let bytes = 0;
      call.on("data", (chunk: Buffer) => (bytes += chunk.length));
      call.on("end", () => answer(null, Buffer.from(String(bytes))));
    },
  });
  const talk = it.caller.client.makeBidiStreamRequest("/test.Bytes/Talk", same, same);
  const heard: string[] = [];
  const ended = new Promise<void>((resolve, reject) => {
    talk.on("data", (chunk: Buffer) => {
      heard.push(chunk.toString());
      if (heard.length < 50) talk.write(Buffer.from(String(heard.length)));
      else talk.end();
    });
    talk.on("end", resolve);
    talk.on("error", reject);
  });
  talk.write(Buffer.from("0"));
  await ended;
  assert.deepEqual(
    heard,
    Array.from({ length: 50 }, (_, i) => `re: ${i}`),
  );
  const collected = await new Promise<Buffer | undefined>((resolve, reject) => {
    const call = it.caller.client.makeClientStreamRequest("/test.Bytes/Collect", same, same, (error, value) => {
      if (error === null) resolve(value);
      else reject(error);
    });
    for (let i = 0; i < 100; i++) call.write(Buffer.alloc(1000));
    call.end();
  });
  assert.equal(String(collected), "100000");
});

test("messages of 32 MiB go both ways", async () => {
  await using it = await mesh({ unary: (call, answer) => answer(null, call.request) });
  const message = Buffer.alloc(32 * MIB, "abcdefghijk");
  const answer = await it.caller.unary(message);
  assert(answer.equals(message));
});

test("a client that does not read stops the server; others on the same connections go on", async () => {
  let sent = 0;
  const piece = Buffer.alloc(64 * 1024);
  await using it = await mesh({
    unary: (call, answer) => answer(null, call.request),
    list(call) {
      const send = (): void => {
        while (sent < 64 * MIB) {
          sent += piece.length;
          if (!call.write(piece)) {
            call.once("drain", send);
            return;
          }
        }
        call.end();
      };
      send();
    },
  });
  const call = it.caller.client.makeServerStreamRequest("/test.Bytes/List", same, same, Buffer.alloc(0));
  let received = 0;
  await new Promise<void>((resolve) => {
    call.once("data", (chunk: Buffer) => {
      received += chunk.length;
      call.pause();
      resolve();
    });
  });
  let before = -1;
  let still = 0;
  await until("the server is stopped", () => {
    still = sent === before ? still + 1 : 0;
    before = sent;
    return still > 10;
  });
  assert(sent < 16 * MIB, `${sent} bytes were sent to a client that does not read`);
  assert.equal(String(await it.caller.unary(Buffer.from("meanwhile"))), "meanwhile");
  call.on("data", (chunk: Buffer) => (received += chunk.length));
  call.resume();
  await until("all of it arrives", () => received === 64 * MIB, 20_000);
});

test("a deadline ends the call at the client and cancels it at the server", async () => {
  let cancelled = 0;
  await using it = await mesh({ unary: (call) => void call.on("cancelled", () => cancelled++) });
  const error = await failure(it.caller.unary(Buffer.alloc(0), { deadlineMs: 150 }));
  assert.equal(error.code, status.DEADLINE_EXCEEDED);
  await until("the server knows", () => cancelled === 1);
});

test("a call that its client cancels is cancelled at the server, and the connections stay", async () => {
  let started = 0;
  let cancelled = 0;
  await using it = await mesh({
    unary: (call, answer) => answer(null, call.request),
    talk(call) {
      started++;
      call.on("cancelled", () => cancelled++);
    },
  });
  const call = it.caller.client.makeBidiStreamRequest("/test.Bytes/Talk", same, same);
  call.on("error", () => undefined);
  call.write(Buffer.from("x"));
  await until("the server has the call", () => started === 1);
  call.cancel();
  await until("the server knows", () => cancelled === 1);
  assert.equal(String(await it.caller.unary(Buffer.from("again"))), "again");
  assert.equal(it.proxies[0]?.stat("cluster.svc.upstream_cx_total"), 1);
});

test("what the proxy answers itself is a gRPC status", async () => {
  await using it = await mesh({ unary: (call, answer) => answer(null, call.request) });
  using nowhere = new GrpcCaller(it.proxies[0]?.port("out") ?? 0, "nobody.knows");
  assert.equal((await failure(nowhere.unary(Buffer.alloc(0)))).code, status.UNIMPLEMENTED);
  it.backend.server.forceShutdown();
  const gone = await failure(it.caller.unary(Buffer.alloc(0)));
  assert.equal(gone.code, status.UNAVAILABLE);
});
