import assert from "node:assert/strict";
import { test } from "node:test";
import { Client, credentials, Server, ServerCredentials, type ServiceError, status } from "@grpc/grpc-js";
import { compile, type CompiledMesh } from "@fairlead/compile";
import { typeUrls } from "@fairlead/envoy-api";
import { CatalogueReplica, type Instance, instanceKey, type MeshNode, serviceKey } from "@fairlead/model";
import { ProxyRuntime } from "@fairlead/proxy-runtime";
import { freePort } from "@fairlead/testing-basics";

const service = { interface: "shop.Greeter", protocol: "grpc" } as const;
const same = (bytes: Buffer): Buffer => bytes;
const shape = { requestSerialize: same, requestDeserialize: same, responseSerialize: same, responseDeserialize: same };
const greet = { path: "/shop.Greeter/Greet", requestStream: false, responseStream: false, ...shape };
const chat = { path: "/shop.Greeter/Chat", requestStream: true, responseStream: true, ...shape };
const logger = { debug() {}, info() {}, warn() {}, error() {} };

/** A server of grpc-js, as an application has it. */
async function startGreeter(): Promise<{ readonly server: Server; readonly port: number }> {
  const server = new Server();
  server.addService(
    { greet, chat },
    {
      greet(call: { request: Buffer }, answer: (error: Partial<ServiceError> | null, value?: Buffer) => void) {
        if (call.request.length === 0) answer({ code: status.INVALID_ARGUMENT, details: "nobody to greet" });
        else answer(null, Buffer.concat([Buffer.from("hello "), call.request]));
      },
      chat(call: {
        on(event: string, listener: (chunk: Buffer) => void): void;
        write(chunk: Buffer): void;
        end(): void;
      }) {
        call.on("data", (chunk) => call.write(chunk));
        call.on("end", () => call.end());
      },
    },
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound);
      else reject(error);
    });
  });
  return { server, port };
}

/** What a gateway would send to a node's proxy. */
async function startProxy(mesh: CompiledMesh, node: string): Promise<ProxyRuntime> {
  const proxy = new ProxyRuntime({ logger, nodeId: node, drainTimeoutMs: 1000 });
  const keys = new Set([...(mesh.scopes.get("everything")?.keys ?? []), ...(mesh.nodes.get(node)?.keys ?? [])]);
  for (const typeUrl of [typeUrls.cluster, typeUrls.endpoint, typeUrls.listener, typeUrls.route]) {
    const resources = [...mesh.resources.values()].filter(
      (resource) => resource.typeUrl === typeUrl && keys.has(resource.key) && !resource.onDemand,
    );
    assert.deepEqual(await proxy.apply(typeUrl, resources), []);
  }
  return proxy;
}

test("a gRPC service of the mesh is called through two sidecars, by what is compiled for them", async () => {
  const greeter = await startGreeter();
  const [inboundPort, outboundPort] = [await freePort(), await freePort()];
  const address = "127.0.0.1";
  const nodes: MeshNode[] = [
    { id: "callee", app: "greeter", address, inboundPort, labels: {} },
    { id: "caller", app: "shop", address, outboundPort, labels: {} },
  ];
  const instance: Instance = {
    nodeId: "callee",
    ...service,
    port: greeter.port,
    version: "",
    group: "",
    methods: [],
    labels: {},
    weight: 100,
    state: "ready",
  };
  const catalogue = new CatalogueReplica();
  catalogue.revision = 1;
  for (const node of nodes) catalogue.nodes.set(node.id, node);
  catalogue.services.set(serviceKey(service), service);
  catalogue.instances.set(instanceKey(instance), instance);
  const mesh = compile(catalogue);
  const callee = await startProxy(mesh, "callee");
  const caller = await startProxy(mesh, "caller");
  const client = new Client(`127.0.0.1:${outboundPort}`, credentials.createInsecure(), {
    "grpc.default_authority": service.interface,
  });
  const call = (request: string): Promise<string> =>
    new Promise((resolve, reject) => {
      client.makeUnaryRequest(greet.path, same, same, Buffer.from(request), (error, value) => {
        if (error === null) resolve(String(value));
        else reject(error);
      });
    });
  assert.equal(await call("mesh"), "hello mesh");
  await assert.rejects(call(""), { code: status.INVALID_ARGUMENT, details: "nobody to greet" });
  const stream = client.makeBidiStreamRequest(chat.path, same, same);
  const heard: string[] = [];
  const ended = new Promise((resolve, reject) => {
    stream.on("data", (chunk: Buffer) => heard.push(chunk.toString()));
    stream.on("end", resolve);
    stream.on("error", reject);
  });
  for (const word of ["one", "two", "three"]) stream.write(Buffer.from(word));
  stream.end();
  await ended;
  assert.deepEqual(heard, ["one", "two", "three"]);
  client.close();
  await caller.close();
  await callee.close();
  greeter.server.forceShutdown();
});
