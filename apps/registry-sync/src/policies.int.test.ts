import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { RegistryUnderTest } from "./registry-under-test.ts";

let registry: RegistryUnderTest;
before(async () => {
  registry = await RegistryUnderTest.start();
});
after(async () => {
  await registry?.stop();
  await registry?.postgres.stop();
});

const rule = (name: string) => `apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata:
  name: ${name}
spec:
  host: shop.Reviews
  subsets:
    - name: v1
      labels: { version: v1 }
`;
const put = (text: string, query = "", type = "application/yaml") =>
  registry.call("PUT", `/v1/policies${query}`, text, type);
const outcomes = (objects: unknown) =>
  Array.isArray(objects)
    ? objects.map((one: unknown) =>
        typeof one === "object" && one !== null ? Object.values(one).slice(0, 4).join(" ") : "",
      )
    : [];

test("all objects of a text are applied in one revision, each with what happened to it", async () => {
  const first = await put(`${rule("a")}---\n${rule("b")}`, "?file=rules.yaml");
  assert.equal(first.status, 200, JSON.stringify(first.body));
  assert.deepEqual(outcomes(first.body["objects"]), [
    "DestinationRule default a created",
    "DestinationRule default b created",
  ]);
  assert.deepEqual(first.body["dryRun"], false);
  const same = await put(`${rule("a")}---\n${rule("b")}`, "?file=rules.yaml");
  assert.equal(same.body.revision, first.body.revision);
  assert.deepEqual(outcomes(same.body["objects"]), [
    "DestinationRule default a unchanged",
    "DestinationRule default b unchanged",
  ]);
  const changed = await put(
    `${rule("a")}---\n${rule("b").replace("v1 }", "v2 }")}---\n${rule("c")}`,
    "?file=rules.yaml",
  );
  assert.equal(changed.body.revision, first.body.revision! + 1);
  assert.deepEqual(outcomes(changed.body["objects"]), [
    "DestinationRule default a unchanged",
    "DestinationRule default b configured",
    "DestinationRule default c created",
  ]);
  const page = await registry.store.changesSince(first.body.revision!);
  assert.ok(!page.gap);
  assert.deepEqual(
    page.changes.map(({ kind, key }) => `${kind} ${key}`),
    ["policy DestinationRule/default/b", "policy DestinationRule/default/c"],
  );
  const { body } = await registry.call("GET", "/v1/policies/DestinationRule/default/c");
  assert.deepEqual([body["file"], body["line"]], ["rules.yaml", 21]);
});

test("bytes that are not UTF-8 are refused, with their line", async () => {
  const bytes = Buffer.from(rule("café"), "latin1");
  const response = await fetch(`${registry.registry.url}/v1/policies`, {
    method: "PUT",
    headers: { "content-type": "application/yaml" },
    body: bytes,
  });
  const { code, message } = (await response.json()) as { code: string; message: string };
  assert.deepEqual([response.status, code], [400, "FL_REQUEST_MALFORMED"]);
  assert.match(message, /^line 4 /);
});

test("one wrong object, and nothing of the text is taken", async () => {
  const revision = await registry.store.revision();
  const refused = await put(`${rule("d")}---\n${rule("e").replace("subsets", "subset")}`, "?file=bad.yaml");
  assert.equal(refused.body.code, "FL_POLICY_INVALID");
  assert.match(refused.body.message ?? "", /bad\.yaml:\d+:\d+ .*subset/);
  assert.equal(await registry.store.revision(), revision);
});

test("a dry run says what would happen and changes nothing", async () => {
  const revision = await registry.store.revision();
  const { status, body } = await put(`${rule("a")}---\n${rule("f")}`, "?file=rules.yaml&dryRun=true");
  assert.deepEqual([status, body["dryRun"], body.revision], [200, true, revision]);
  assert.deepEqual(outcomes(body["objects"]), [
    "DestinationRule default a unchanged",
    "DestinationRule default f created",
  ]);
  assert.equal(await registry.store.revision(), revision);
});

test("JSON is taken as it is written, so that messages name its lines", async () => {
  const text = JSON.stringify(
    { apiVersion: "networking.istio.io/v1", kind: "DestinationRule", metadata: { name: "j" }, spec: { host: "a.B" } },
    null,
    2,
  );
  assert.deepEqual(outcomes((await put(text, "", "application/json")).body["objects"]), [
    "DestinationRule default j created",
  ]);
  const wrong = await put(text.replace('"host"', '"hosts"'), "?file=j.json", "application/json; charset=utf-8");
  assert.match(wrong.body.message ?? "", /j\.json:[78]:\d+ .*host/);
});

test("a policy is deleted by its name", async () => {
  const path = "/v1/policies/DestinationRule/default/j";
  const { status, body } = await registry.call("DELETE", path);
  assert.deepEqual([status, body.revision], [200, await registry.store.revision()]);
  assert.equal((await registry.call("DELETE", path)).status, 404);
  assert.equal((await registry.call("GET", path)).status, 404);
  const list = (await registry.call("GET", "/v1/policies?limit=1")).body;
  assert.equal(list["next"], "DestinationRule/default/a");
});
