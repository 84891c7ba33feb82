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
