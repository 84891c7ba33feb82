import assert from "node:assert/strict";
import { request } from "node:http";
import { after, before, describe, test } from "node:test";
import * as fc from "fast-check";
import { node, RegistryUnderTest } from "./registry-under-test.ts";

let registry: RegistryUnderTest;
let revision = 0;
before(async () => {
  registry = await RegistryUnderTest.start({ FAIRLEAD_MAX_POLICY_BYTES: "2048" });
  revision = await registry.store.revision();
});
after(async () => {
  const last = await registry.store.revision();
  await registry.stop();
  await registry.postgres.stop();
  assert.equal(last, revision, "nothing of it was stored");
});

const service = { interface: "shop.Orders", port: 8080 };
const reference = { interface: "shop.Orders" };
const good: Record<string, object> = {
  "/pub": { service, node: node("n1") },
  "/unpub": { service: reference, node: { id: "n1" } },
  "/sub": { service: reference, node: node("n1") },
  "/unsub": { service: reference, node: { id: "n1" } },
  "/v1/instances/state": { service: reference, node: { id: "n1" }, state: "ready" },
  "/v1/nodes": { node: node("n1") },
  "/v1/leases/renew": { node: { id: "n1" } },
};
const mosn = new Set(["/pub", "/unpub", "/sub", "/unsub"]);

async function refuses(
  path: string,
  body: unknown,
  code: string,
  status: number,
  field: RegExp,
  type?: string,
): Promise<void> {
  const answer = await registry.call("POST", path, body, type);
  assert.deepEqual([answer.status, answer.body.code], [status, code], `${path} ${JSON.stringify(answer.body)}`);
  assert.match(answer.body.message ?? "", field);
  assert.ok((answer.body.action ?? "") !== "");
  if (mosn.has(path)) assert.deepEqual([answer.body.err_no, answer.body.err_msg], [1, answer.body.message]);
}

for (const [path, body] of Object.entries(good)) {
  describe(`POST ${path}`, () => {
    test("malformed, empty and other than JSON", async () => {
      await refuses(path, '{"service":', "FL_REQUEST_MALFORMED", 400, /./);
      await refuses(path, "", "FL_REQUEST_MALFORMED", 400, /./);
      await refuses(path, '{"__proto__":{}}', "FL_REQUEST_MALFORMED", 400, /./);
      await refuses(path, "[]", "FL_REQUEST_INVALID", 400, /body/);
      await refuses(path, "null", "FL_REQUEST_INVALID", 400, /body/);
      for (const type of ["text/plain", "application/x-www-form-urlencoded", "application/yaml", "x"]) {
        await refuses(path, "a=b", "FL_REQUEST_MEDIA_TYPE", 415, /expected is application\/json$/, type);
      }
    });

    test("unknown and missing fields, by name", async () => {
      await refuses(path, { ...body, ndoe: {} }, "FL_REQUEST_INVALID", 400, /ndoe/);
      await refuses(
        path,
        { ...body, node: { ...node("n1"), inBoundPort: 1 } },
        "FL_REQUEST_INVALID",
        400,
        /body\.node.*inBoundPort/,
      );
      await refuses(path, { ...body, node: undefined }, "FL_REQUEST_INVALID", 400, /body\.node/);
      if ("service" in body)
        await refuses(path, { ...body, service: { port: 1 } }, "FL_REQUEST_INVALID", 400, /body\.service\.interface/);
    });

    test("wrong node ids", async () => {
      for (const id of ["", " ", "a b", "-a", "a\u0000", "é", "a".repeat(256), 5, null, {}]) {
        const wrong = { ...("app" in (Reflect.get(body, "node") as object) ? node("x") : {}), id };
        await refuses(path, { ...body, node: wrong }, "FL_REQUEST_INVALID", 400, /body\.node\.id/);
      }
    });

    test("a body that is too large", async () => {
      await refuses(
        path,
        { ...body, pad: "x".repeat(1024 * 1024) },
        "FL_REQUEST_TOO_LARGE",
        413,
        /^the body is larger than 1048576 bytes$/,
      );
    });
  });
}

test("wrong values in a publication, by field", async () => {
  const wrong: [object, RegExp][] = [
    [{ port: 0 }, /service\.port/],
    [{ port: 65_536 }, /service\.port/],
    [{ port: "8080" }, /service\.port/],
    [{ port: 1.5 }, /service\.port/],
    [{ interface: "" }, /service\.interface/],
    [{ interface: "a b" }, /service\.interface/],
    [{ interface: "a\u0000" }, /service\.interface/],
    [{ interface: `a${"b".repeat(253)}` }, /service\.interface/],
    [{ protocol: "HTTP" }, /service\.protocol/],
    [{ weight: 0 }, /service\.weight/],
    [{ weight: 10_001 }, /service\.weight/],
    [{ version: "a b" }, /service\.version/],
    [{ methods: ["a\u0000"] }, /service\.methods\.0/],
    [{ methods: ["\ud800"] }, /service\.methods\.0/],
    [{ methods: Array.from({ length: 1001 }, () => "m") }, /service\.methods/],
    [{ labels: { "": "x" } }, /service\.labels/],
    [{ labels: { a: "\u0000" } }, /service\.labels\.a/],
    [{ labels: Object.fromEntries(Array.from({ length: 65 }, (_, n) => [`l${n}`, ""])) }, /service\.labels/],
    [{ labels: [] }, /service\.labels/],
  ];
  for (const [fields, field] of wrong)
    await refuses("/pub", { service: { ...service, ...fields }, node: node("n1") }, "FL_REQUEST_INVALID", 400, field);
  for (const fields of [
    { app: "" },
    { app: "a\u0000" },
    { app: "\ud800" },
    { address: "host.name" },
    { address: "999.1.1.1" },
    { inboundPort: 0 },
  ]) {
    await refuses(
      "/pub",
      { service, node: node("n1", fields) },
      "FL_REQUEST_INVALID",
      400,
      new RegExp(`node\\.${Object.keys(fields)[0]}`),
    );
  }
  await refuses("/pub", { ...good["/pub"], state: "draining" }, "FL_REQUEST_INVALID", 400, /body\.state/);
  await refuses(
    "/v1/instances/state",
    { ...good["/v1/instances/state"], state: "warming" },
    "FL_REQUEST_INVALID",
    400,
    /body\.state/,
  );
});

test("wrong queries and paths", async () => {
  const queries = [
    "wait=soon",
    "timeout=10",
    "timeout=6m",
    "timeout=-1s",
    "wiat=converged",
    "wait=converged&wait=converged",
  ];
  for (const query of queries)
    await refuses(`/pub?${query}`, good["/pub"], "FL_REQUEST_INVALID", 400, /query/).catch((error: Error) =>
      assert.fail(`${query}: ${error.message}`),
    );
  for (const path of [
    "/v1/nodes?limit=0",
    "/v1/nodes?limit=10001",
    "/v1/instances?nod=x",
    "/v1/policies?limit=x",
    "/v1/revisions/-1/convergence",
    "/v1/revisions/x/convergence",
  ]) {
    const { status, body } = await registry.call("GET", path);
    assert.deepEqual([status, body.code], [400, "FL_REQUEST_INVALID"], path);
  }
  for (const [method, path] of [
    ["GET", "/v1/nothing"],
    ["GET", "/pub"],
    ["GET", "/v1/policies/VirtualService/default/none"],
    ["DELETE", "/v1/policies/VirtualService/default/none"],
  ] as const) {
    const { status, body } = await registry.call(method, path);
    assert.deepEqual([status, body.code], [404, "FL_NOT_FOUND"], path);
  }
  const kind = await registry.call("GET", "/v1/policies/Deployment/default/x");
  assert.deepEqual([kind.status, kind.body.code], [400, "FL_REQUEST_INVALID"]);
  assert.equal((await registry.call("DELETE", `/v1/nodes/${"a".repeat(300)}`)).status, 400);
});

test("wrong policies", async () => {
  const put = (body: string, type = "application/yaml", query = "") =>
    registry.call("PUT", `/v1/policies${query}`, body, type);
  const invalid = await put(
    "kind: VirtualService\napiVersion: networking.istio.io/v1\nmetadata: {name: x}\nspec: {hosts: [a], htpp: []}\n",
    "text/yaml",
    "?file=shop.yaml",
  );
  assert.deepEqual([invalid.status, invalid.body.code], [422, "FL_POLICY_INVALID"]);
  assert.match(JSON.stringify(invalid.body.facts), /shop\.yaml:4:\d+ .*htpp/);
  for (const body of ["", "---\n", "a: [", "\u0000", "- 1", "kind: Service", "x".repeat(2000)]) {
    const { status, body: answer } = await put(body);
    assert.ok(status === 400 || status === 422, `${status} ${JSON.stringify(body)} ${JSON.stringify(answer)}`);
  }
  const long = await put(`# ${"x".repeat(2048)}`);
  assert.deepEqual([long.body.code, long.body.message], ["FL_REQUEST_TOO_LARGE", "the body is larger than 2048 bytes"]);
  const plain = await put("a: 1", "text/plain");
  assert.equal(plain.body.code, "FL_REQUEST_MEDIA_TYPE");
  assert.match(plain.body.message ?? "", /"text\/plain"; expected is application\/yaml, .*application\/json$/);
  assert.equal((await put("a: 1", "application/yaml", "?dryrun=true")).body.code, "FL_REQUEST_INVALID");
  assert.equal((await registry.call("PUT", "/v1/policies")).status, 400);
});

test("no JSON makes /pub fail in a way that nobody foresaw", async () => {
  await fc.assert(
    fc.asyncProperty(fc.jsonValue(), fc.constantFrom("service", "node", "state", "extra"), async (value, field) => {
      const { status } = await registry.call("POST", "/pub", { ...good["/pub"], [field]: value });
      assert.ok(
        status === 400 || (field === "state" && value === "ready"),
        `${status} for ${field} = ${JSON.stringify(value)}`,
      );
    }),
    { numRuns: 100 },
  );
});

test("a body that is announced and not sent is given up", async () => {
  const { port } = new URL(registry.registry.url);
  const status = await new Promise<number | string | undefined>((resolve) => {
    const call = request(
      { port, method: "POST", path: "/pub", headers: { "content-type": "application/json", "content-length": "100" } },
      (response) => {
        resolve(response.statusCode);
        response.resume();
      },
    );
    call.on("error", (error: NodeJS.ErrnoException) => resolve(error.code));
    call.flushHeaders();
    setTimeout(() => call.destroy(), 50);
  });
  assert.ok(status === "ECONNRESET" || status === 400, String(status));
  assert.ok(await registry.ready());
});
