import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startTestNats, type TestNats } from "@fairlead/testing-servers";
import { JetStreamApiCodes, JetStreamApiError, jetstreamManager } from "@nats-io/jetstream";
import { connect, headers, type NatsConnection } from "@nats-io/transport-node";
import { expectLast } from "./bucket-messages.ts";
import { PublishAcks } from "./publish-acks.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
/** Longer than any answer takes: what is refused is refused because somebody said so. */
const timeoutMs = 60_000;

void describe("what a server says of messages into streams", () => {
  let nats: TestNats;
  let connection: NatsConnection;
  let acks: PublishAcks;
  before(async () => {
    const permissions = "publish: {deny: closed.>}";
    nats = await startTestNats({
      config: `authorization: {users: [{user: u, password: p, permissions: {${permissions}}}]}\n`,
    });
    connection = await connect({ servers: `127.0.0.1:${nats.port}`, user: "u", pass: "p" });
    const { streams } = await jetstreamManager(connection);
    await streams.add({ name: "test", subjects: ["open.>", "closed.>"] });
    acks = new PublishAcks(connection, timeoutMs);
  });
  after(async () => {
    await connection.close();
    await nats.stop();
  });

  void test("each of many messages under way at once gets its own sequence", async () => {
    const subjects = Array.from({ length: 500 }, (_, index) => `open.${index}`);
    const sequences = await Promise.all(subjects.map((subject) => acks.publish(subject, bytes(subject), headers())));
    assert.deepEqual(sequences, subjects.map((_, index) => index + 1)); // prettier-ignore
  });

  void test("a message that the stream does not store is refused with the server's reason", async () => {
    const written = headers();
    expectLast(written, 7);
    const isConflict = (error: unknown) =>
      error instanceof JetStreamApiError && error.code === JetStreamApiCodes.StreamWrongLastSequence;
    await assert.rejects(acks.publish("open.a", bytes("a"), written), isConflict);
  });

  void test("a message that no stream takes is refused at once", async () => {
    await assert.rejects(acks.publish("elsewhere", bytes("a"), headers()), /no stream takes elsewhere/);
  });

  void test("a message that the login may not publish is refused at once", async () => {
    await assert.rejects(acks.publish("closed.a", bytes("a"), headers()), /ermission/);
  });

  void test("a message whose answer does not come in time is given up", async () => {
    const impatient = new PublishAcks(connection, 1);
    // Somebody else takes it, and does not answer.
    const subscription = connection.subscribe("silent", { callback: () => undefined });
    await assert.rejects(impatient.publish("silent", bytes("a"), headers()), /timeout/);
    subscription.unsubscribe();
  });

  void test("messages without an answer are given up when the connection is lost", async () => {
    const other = await connect({ servers: `127.0.0.1:${nats.port}`, user: "u", pass: "p", reconnect: false });
    const lost = new PublishAcks(other, timeoutMs);
    other.subscribe("silent", { callback: () => undefined });
    const given = assert.rejects(lost.publish("silent", bytes("a"), headers()), /the connection was lost/);
    await other.close();
    await given;
    await assert.rejects(lost.publish("silent", bytes("a"), headers()), /closed/i);
  });
});
