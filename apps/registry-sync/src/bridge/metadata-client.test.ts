import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { test } from "node:test";
import { fetchMetadata } from "./metadata-client.ts";
import { recordedRevision, startMetadataProvider } from "./testing/metadata-provider.ts";

const question = (port: number, timeoutMs = 5_000) => ({
  service: { address: "127.0.0.1", port, protocol: "dubbo", version: "1.0.0" },
  application: "shop",
  revision: recordedRevision,
  timeoutMs,
});

test("an instance of Dubbo 3.3 for Java tells what it serves", async () => {
  const provider = await startMetadataProvider();
  const metadata = await fetchMetadata(question(provider.port));
  assert.deepEqual([metadata.app, metadata.revision], ["shop", recordedRevision]);
  const [service] = Object.values(metadata.services);
  assert.deepEqual([service?.name, service?.version, service?.group, service?.protocol], ["org.x.Greeter", "1.0.0", null, "dubbo"]); // prettier-ignore
  assert.equal(service?.params["methods"], "details,fail,greet");
  const asked = provider.asked[0]!.toString("latin1");
  assert.match(asked, /org\.apache\.dubbo\.metadata\.MetadataService.*getMetadataInfo.*group.shop/s);
  await provider.stop();
});

test("one that is not there, closes, says nothing or something else is an error in time", async () => {
  const refusing = await startMetadataProvider(1);
  await assert.rejects(fetchMetadata(question(refusing.port)), /closed the connection/);
  await refusing.stop();
  await assert.rejects(fetchMetadata(question(refusing.port)), /ECONNREFUSED/);
  for (const [answer, expected] of [
    ["", /within 100 ms/],
    ["HTTP/1.1 400 Bad Request\r\n\r\n", /not with dabb/],
  ] as const) {
    const other = createServer((socket) => socket.on("error", () => undefined).write(answer)).listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as { port: number };
    await assert.rejects(fetchMetadata(question(port, 100)), expected);
    other.close();
  }
});

test("a registry sends nobody to where it should not, nor tells what listens there anything of its own", async () => {
  let connections = 0;
  const victim = createServer((socket) => (connections++, socket.destroy())).listen(0, "127.0.0.1");
  await once(victim, "listening");
  const asked = question((victim.address() as { port: number }).port);
  const at = (address: string) => ({ ...asked, service: { ...asked.service, address } });
  for (const address of ["169.254.169.254", "", "localhost", "metadata.internal", "0.0.0.0", "fe80::1"])
    await assert.rejects(fetchMetadata(at(address)), /no address that a registry may send anybody to/);
  for (const odd of [
    { revision: "x\r\nFLUSHALL\r\n" },
    { application: "a\nb" },
    { service: { ...asked.service, version: "1\r\n" } },
    { revision: "" },
    { revision: "r".repeat(300) },
  ])
    await assert.rejects(fetchMetadata({ ...asked, ...odd }), /is no name/);
  assert.equal(connections, 0);
  victim.close();
});

test("an answer that is longer than a node of ZooKeeper could be is not waited for", async () => {
  const head = Buffer.from("dabb02140000000000000001", "hex");
  const long = Buffer.concat([head, Buffer.from([0, 0x20, 0, 0]), Buffer.alloc(64 * 1024)]);
  const server = createServer((socket) => socket.on("error", () => undefined).write(long)).listen(0, "127.0.0.1");
  await once(server, "listening");
  await assert.rejects(fetchMetadata(question((server.address() as { port: number }).port)), /the limit is 1048576/);
  server.close();
});
