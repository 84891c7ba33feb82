import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { Preview } from "@fairlead/registration";
import { json, RegistryStub } from "../testing/registry-stub.ts";

const stub = await RegistryStub.start();
after(() => stub.close());
const run = (args: readonly string[], input?: string) => stub.run([...args, "--registry", stub.url], input);

const nothing: Preview = { resources: [], audiences: [], rejected: [], diffsLeftOut: 0 };
const reviews = { kind: "VirtualService", namespace: "default", name: "reviews" };
const preview: Preview = {
  ...nothing,
  resources: [
    {
      change: "changed",
      type: "rds",
      name: "outbound",
      key: "rds/a/outbound",
      audience: 0,
      diff: "@@ -1,1 +1,1 @@\n-a\n+b",
    },
    { change: "removed", type: "cds", name: "c", key: "cds/c", audience: 1 },
  ],
  audiences: [
    { nodes: Array.from({ length: 7 }, (_, index) => `web-${index}`), unregistered: true },
    { nodes: ["web-0"], unregistered: false },
  ],
  diffsLeftOut: 1,
};
const changed = {
  revision: 7,
  dryRun: true,
  objects: [{ ...reviews, outcome: "configured", diff: "@@ -1,1 +1,1 @@\n-weight: 1\n+weight: 2" }],
  preview,
};
const rejected = {
  kind: "policy",
  key: "VirtualService/default/reviews",
  file: "reviews.yaml",
  line: 4,
  code: "FL_X",
  message: "no subset v9",
};

test("a diff shows objects, resources and for whom, and exits with 1", async () => {
  stub.answer = () => json(changed);
  const { code, out } = await run(["diff", "-f", "-"], "kind: X\n");
  assert.equal(
    out,
    `VirtualService default/reviews: would be configured
    @@ -1,1 +1,1 @@
    -weight: 1
    +weight: 2

changed rds outbound for web-0, web-1, web-2, web-3, web-4 and 2 more; and those that nobody registered
    @@ -1,1 +1,1 @@
    -a
    +b

removed cds c for web-0

1 of them are shown without what differs

2 resources would change, for 7 registered proxies
`,
  );
  assert.equal(code, 1);
  const [{ method, url, body }] = stub.asked as [(typeof stub.asked)[number]];
  assert.deepEqual(
    [method, url.pathname + url.search, body],
    ["PUT", "/v1/policies?file=stdin&dryRun=true", "kind: X\n"],
  );
});

test("a change that is the same for several scopes is shown once", async () => {
  const [first] = preview.resources;
  const twice = { ...preview, resources: [first, { ...first, key: "rds/b/outbound", audience: 1 }] };
  stub.answer = () => json({ ...changed, preview: twice });
  const { out } = await run(["diff", "-f", "-"]);
  assert.equal(out.match(/^changed rds outbound/gm)?.length, 1);
  assert.match(out, /2 resources would change, for 7 registered proxies/);
});

test("without a change it exits with 0; with an error, 2", async () => {
  stub.answer = () => json({ ...changed, objects: [{ ...reviews, outcome: "unchanged" }], preview: nothing });
  const same = await run(["diff", "-f", "-"]);
  assert.deepEqual(
    [same.code, same.out],
    [0, "VirtualService default/reviews: unchanged\n\nno resource of any proxy would change\n"],
  );
  stub.answer = () => json({ code: "FL_POLICY_INVALID", message: "x.yaml:1:1 no", action: "", facts: {} }, 422);
  assert.equal((await run(["diff", "-f", "-"])).code, 2);
  assert.equal((await run(["diff", "-f", "/none/x.yaml"])).code, 2);
});

test("a policy to be removed is named with or without its namespace", async () => {
  stub.answer = () => json({ ...changed, objects: [{ ...reviews, outcome: "deleted", diff: "@@ -1,1 +0,0 @@\n-a" }] });
  for (const [name, path] of [
    ["VirtualService/reviews", "/v1/policies/VirtualService/default/reviews"],
    ["VirtualService/shop/reviews", "/v1/policies/VirtualService/shop/reviews"],
  ] as const) {
    const { code, out } = await run(["diff", "--delete", name]);
    assert.equal(code, 1);
    assert.match(out, /^VirtualService default\/reviews: would be deleted\n/);
    const [{ method, url }] = stub.asked as [(typeof stub.asked)[number]];
    assert.deepEqual([method, url.pathname + url.search], ["DELETE", `${path}?dryRun=true`]);
  }
});

test("apply --dry-run and delete --dry-run show the same; they exit with 1 when the compiler would not take it", async () => {
  stub.answer = () => json(changed);
  for (const args of [
    ["apply", "--dry-run", "-f", "-"],
    ["delete", "VirtualService", "reviews", "--dry-run"],
  ]) {
    const { code, out } = await run(args);
    assert.deepEqual([code, out], [0, (await run(["diff", "-f", "-"])).out]);
  }
  for (const already of [true, false]) {
    stub.answer = () => json({ ...changed, preview: { ...preview, rejected: [{ ...rejected, already }] } });
    const { code, out } = await run(["apply", "--dry-run", "-f", "-"]);
    assert.equal(code, already ? 0 : 1);
    assert.match(
      out,
      /where that still can be\):\n {2}reviews\.yaml:4 VirtualService\/default\/reviews: FL_X: no subset v9/,
    );
  }
});

test("--json has it all", async () => {
  stub.answer = () => json(changed);
  const { code, out } = await run(["diff", "-f", "-", "--json"]);
  assert.equal(code, 1);
  assert.deepEqual(JSON.parse(out), changed);
});
