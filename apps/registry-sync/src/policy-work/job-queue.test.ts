import assert from "node:assert/strict";
import { after, test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { RouteConfigurationSchema } from "@fairlead/envoy-api/envoy/config/route/v3/route_pb.js";
import { errorAnswer } from "@fairlead/http-api";
import { JobQueue, type JobQueueOptions } from "./job-queue.ts";

const queues: JobQueue[] = [];
function queue(options: Partial<JobQueueOptions> = {}): JobQueue {
  const made = new JobQueue({
    databaseUrl: "postgres://127.0.0.1:1/nowhere",
    timeoutMs: 30_000,
    maxMemoryMb: 256,
    maxWaiting: 1,
    ...options,
  });
  queues.push(made);
  return made;
}
after(async () => {
  await Promise.all(queues.map((one) => one.stop()));
});

const policy = `apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: reviews }
spec: { host: shop.Reviews }
`;
const parse = (text: string) => ({ kind: "parse" as const, text, file: "a.yaml" });
const request = { authority: "a", path: "/", method: "GET", headers: [] };
/** Seconds of work for the parser. */
const costly = `[${"a,".repeat(1_000_000)}]`;

test("a job's result and its refusal come back as they would without a thread", async () => {
  const jobs = queue();
  const [object] = await jobs.run(parse(policy));
  assert.deepEqual([object?.kind, object?.file, object?.line], ["DestinationRule", "a.yaml", 1]);
  await assert.rejects(jobs.run(parse("kind: X")), { code: "FL_POLICY_INVALID", message: /^a\.yaml:1:/ });
  await assert.rejects(jobs.run({ kind: "preview", change: { put: [], remove: [] }, inForce: new Map() }), {
    code: "FL_STORE_UNAVAILABLE",
  });
});

test("a refusal by code that only the thread has loaded says what to do", async () => {
  const routes = toBinary(
    RouteConfigurationSchema,
    create(RouteConfigurationSchema, {
      name: "a",
      virtualHosts: [{ name: "v", domains: ["*"], includeRequestAttemptCount: true }],
      vhds: {},
    }),
  );
  const caught: unknown = await queue()
    .run({ kind: "route", routes, request })
    .catch((error: unknown) => error);
  const { status, body } = errorAnswer(caught);
  assert.deepEqual([status, body.code], [400, "FL_XDS_REJECTED"]);
  assert.match(body.action, /names the field/);
});

test("a job that takes too long is given up, and the next one is done", async () => {
  const jobs = queue({ timeoutMs: 1000 });
  const [slow, next] = await Promise.allSettled([jobs.run(parse(costly)), jobs.run(parse(policy))]);
  assert.ok(slow.status === "rejected");
  assert.match(String(slow.reason), /given up: it was not done after 1000 ms/);
  assert.equal((slow.reason as { code: string }).code, "FL_POLICY_WORK_LIMIT");
  assert.equal(next.status, "fulfilled");
});

test("a job that needs too much memory ends its thread, not the process; the next one is done", async () => {
  const jobs = queue({ maxMemoryMb: 96 });
  await assert.rejects(jobs.run(parse(costly)), { code: "FL_POLICY_WORK_LIMIT", message: /memory/ });
  assert.equal((await jobs.run(parse(policy))).length, 1);
});

test("so does a job whose buffers, which are on no heap, need too much", async () => {
  const jobs = queue({ maxMemoryMb: 96 });
  // A route configuration with its name in it again and again: seconds of work, and nothing is kept.
  const routes = Buffer.alloc(129 * 1024 * 1024, Buffer.from([0x0a, 0x01, 0x61]));
  await assert.rejects(jobs.run({ kind: "route", routes, request }), {
    code: "FL_POLICY_WORK_LIMIT",
    message: /buffers take more than the 96 MiB/,
  });
  assert.equal((await jobs.run(parse(policy))).length, 1);
});

test("one runs, one waits, a further one is refused; a client that has gone gives its place away", async () => {
  const jobs = queue();
  const gone = new AbortController();
  const first = jobs.run(parse(policy));
  const second = jobs.run(parse(policy), gone.signal);
  await assert.rejects(jobs.run(parse(policy)), { code: "FL_OVERLOADED" });
  gone.abort();
  const third = jobs.run(parse(policy));
  await assert.rejects(second, { code: "FL_OVERLOADED" });
  assert.equal((await first).length + (await third).length, 2);
});

test("when it stops, what is not done is refused", async () => {
  const jobs = queue();
  const refused = assert.rejects(jobs.run(parse(costly)), { code: "FL_OVERLOADED" });
  await jobs.stop();
  await refused;
  await assert.rejects(jobs.run(parse(policy)), { code: "FL_OVERLOADED" });
});
