import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { after, before, test } from "node:test";
import { createLogger } from "@fairlead/logging";
import { createSidecar, type Sidecar, sidecarConfig } from "@fairlead/sidecar";
import { startTelemetry, type Telemetry } from "@fairlead/telemetry";
import { freePort, until } from "@fairlead/testing-basics";
import { MeshUnderTest } from "./testing/mesh-under-test.ts";

const body = Buffer.from("05322e302e32056f72672e784e046e6f74650048016b01765a", "hex");
/** A call of `note` of org.x, and an answer to it, with the id 0x100000007. */
const request = Buffer.concat([Buffer.from("dabbc2000000000100000007000000", "hex"), Buffer.from([body.length]), body]);
const answer = Buffer.from("dabb021400000001000000070000000195", "hex");
const service = { interface: "org.x", methods: ["note"] };

let mesh: MeshUnderTest;
let telemetry: Telemetry;
const sidecars: Sidecar[] = [];

async function startSidecar(name: string, more: Record<string, string> = {}): Promise<Sidecar> {
  const config = sidecarConfig.load({
    FAIRLEAD_APP: name,
    FAIRLEAD_NODE_ID: name,
    FAIRLEAD_API_PORT: "0",
    FAIRLEAD_ADMIN_PORT: "0",
    FAIRLEAD_OUTBOUND_PORT: String(await freePort()),
    FAIRLEAD_OUTBOUND_RPC_PORT: String(await freePort()),
    FAIRLEAD_INBOUND_PORT: String(await freePort()),
    FAIRLEAD_REGISTRY_URL: mesh.registryUrl,
    FAIRLEAD_ADS_ADDRESS: `127.0.0.1:${mesh.grpcPort}`,
    FAIRLEAD_DRAIN_TIMEOUT: "2s",
    ...more,
  });
  const sidecar = createSidecar(config, { logger: createLogger({ service: name, level: "silent" }), telemetry });
  sidecars.push(sidecar);
  await sidecar.start();
  return sidecar;
}

before(async () => {
  telemetry = startTelemetry({ service: "test" });
  mesh = await MeshUnderTest.start();
});
after(async () => {
  await Promise.all(sidecars.map((sidecar) => sidecar.stop()));
  await mesh.stop();
  await telemetry.shutdown();
});

test("an application that posts MOSN's body is called over Dubbo from another sidecar's port", async (context) => {
  const app = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.on("data", (chunk: Buffer) => {
      // Heartbeats have another flag; the id is in bytes 4 to 11.
      if ((chunk.readUInt8(2) & 0xa0) !== 0x80) return;
      const reply = Buffer.from(answer);
      chunk.copy(reply, 4, 4, 12);
      socket.write(reply);
    });
  }).listen(0, "127.0.0.1");
  context.after(() => app.close());
  await once(app, "listening");
  const { port } = app.address() as { port: number };
  const provider = await startSidecar("provider", { FAIRLEAD_DUBBO_PORT: String(port) });
  const caller = await startSidecar("caller");
  const post = async (sidecar: Sidecar, path: string, asked: object) => {
    const response = await fetch(`http://127.0.0.1:${sidecar.apiPort}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(asked),
    });
    return await response.text();
  };
  const ofMosn = { registry: { type: "zookeeper", addr: "127.0.0.1:2181" }, service };
  assert.equal(await post(caller, "/sub", ofMosn), '{"err_no":0,"err_msg":"subscribe success"}');
  assert.equal(await post(provider, "/pub", ofMosn), '{"err_no":0,"err_msg":"publish success"}');
  const reference = { service: { ...service, protocol: "dubbo", port } };
  assert.match(await post(provider, "/pub?wait=converged&timeout=20s", reference), /"converged":true/);
  // The first RPC service brings the port's listener, which begins to listen when it has been acknowledged.
  const socket = await until("the caller's port takes connections", async () => {
    const connecting = connect(caller.node.outboundRpcPort ?? 0, "127.0.0.1");
    return await once(connecting, "connect").then(
      () => connecting,
      () => undefined,
    );
  });
  context.after(() => socket.destroy());
  socket.write(request);
  const [chunk] = (await once(socket, "data")) as [Buffer];
  assert.equal(chunk.toString("hex"), answer.toString("hex"));
  assert.match(await post(provider, "/unpub", ofMosn), /^\{"err_no":0,"err_msg":"unpub success"\}$/);
});
