import assert from "node:assert/strict";
import { test } from "node:test";
import { inSpan, startTelemetry } from "@fairlead/telemetry";
import { assert as check, property, string } from "fast-check";
import { createLogger } from "./index.ts";

function recording(level?: string) {
  const lines: string[] = [];
  const logger = createLogger({
    service: "ads-gateway",
    ...(level === undefined ? {} : { level }),
    destination: { write: (line) => void lines.push(line) },
  });
  return { logger, lines, read: () => lines.map((line): Record<string, unknown> => JSON.parse(line)) };
}

void test("a line is JSON with service, level by name, ISO time and a constant msg", () => {
  const { logger, read } = recording();
  logger.debug("not at this level");
  logger.child({ node: "n1" }).warn({ revision: 42 }, "push refused");
  const [{ time, ...line } = {}] = read();
  assert.deepEqual(line, { level: "warn", service: "ads-gateway", node: "n1", revision: 42, msg: "push refused" });
  assert.ok(!Number.isNaN(Date.parse(String(time))));
  assert.equal(read().length, 1);
});

void test("a line inside a span carries its ids, one outside does not", async () => {
  const telemetry = startTelemetry({ service: "test" });
  try {
    const { logger, read } = recording();
    const ids = await inSpan("test.log", {}, async (span) => {
      await new Promise(setImmediate);
      logger.info("inside");
      return span.spanContext();
    });
    logger.info("outside");
    const [inside, outside] = read();
    assert.match(ids.traceId, /[1-9a-f]/, "spans have ids also where nobody takes them");
    assert.equal(inside?.["trace_id"], ids.traceId);
    assert.equal(inside?.["span_id"], ids.spanId);
    assert.deepEqual([outside?.["msg"], outside?.["trace_id"]], ["outside", undefined]);
  } finally {
    await telemetry.shutdown();
  }
});

const secrets: readonly [string, object][] = [
  ["a field", { password: "s3cret" }],
  ["a field deep inside", { a: { b: { c: [{ Authorization: "Bearer s3cret" }] } } }],
  ["a header with several values", { headers: { "set-cookie": ["a=s3cret", "b=s3cret"] } }],
  ["a number", { token: 123_456_789 }],
  ["an URL", { servers: ["nats://u:s3cret@h:4222"] }],
  ["an URL with signs", { url: 'postgres://u:p@"s3cret@h/db' }],
  ["a query", { url: "postgres://h/db?sslmode=off&password=s3cret&x=1" }],
  [
    "an error's message, stack and cause",
    { err: new Error("cannot reach postgres://u:s3cret@h/db", { cause: new Error("nats://s3cret@h") }) },
  ],
  ["an error's own field", { err: Object.assign(new Error("x"), { password: "s3cret" }) }],
];

for (const [title, facts] of secrets) {
  void test(`no secret reaches the output: ${title}`, () => {
    const { logger, lines, read } = recording();
    logger.child({ bound: facts }).error(facts, "failed with postgres://u:s3cret@h/db");
    assert.doesNotMatch(lines[0]!, /s3cret|123456789/);
    assert.match(lines[0]!, /redacted/);
    assert.equal(read()[0]?.["level"], "error");
  });
}

void test("what is no secret stays as it is", () => {
  const { logger, read } = recording();
  const facts = { url: "http://10.0.0.7:15014/debug?node=a@b", tokens: 3, passwordless: "yes", mail: "a@b" };
  logger.info(facts, "see https://example.org/x@y");
  const [line] = read();
  assert.deepEqual(
    { url: line?.["url"], tokens: line?.["tokens"], passwordless: line?.["passwordless"], mail: line?.["mail"] },
    facts,
  );
  assert.equal(line?.["msg"], "see https://example.org/x@y");
});

void test("property: a line stays valid JSON, whatever is in it", () => {
  check(
    property(string(), string(), (text, password) => {
      const { logger, read } = recording();
      logger.info({ text, password, url: `nats://u:${text}@h?token=${password}` }, text);
      assert.equal(read()[0]?.["password"], "[redacted]");
    }),
  );
});
