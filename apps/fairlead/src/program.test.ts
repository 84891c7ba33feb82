import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { type Asked, json, RegistryStub } from "./testing/registry-stub.ts";

const stub = await RegistryStub.start();
const registryUrl = stub.url;
const run = stub.run.bind(stub);
const folder = await mkdtemp(join(tmpdir(), "fairlead-program-test-"));
after(async () => {
  stub.close();
  await rm(folder, { recursive: true, force: true });
});

const policyFile = join(folder, "reviews.yaml");
await writeFile(policyFile, "kind: VirtualService\n");
const applied = {
  revision: 7,
  dryRun: false,
  objects: [{ kind: "VirtualService", namespace: "default", name: "reviews", outcome: "created" }],
};

test("apply sends the file with its name, and says what became of each object", async () => {
  stub.answer = () =>
    json({ ...applied, convergence: { revision: 7, converged: true, proxies: 5, missing: [], rejected: [] } });
  const { code, out } = await run(["apply", "-f", policyFile, "--wait", "--timeout", "30s", "--registry", registryUrl]);
  assert.equal(code, 0);
  assert.equal(out, "VirtualService default/reviews: created\nrevision 7 converged on 5 proxies\n");
  const [{ method, url, type, body }] = stub.asked as [Asked];
  assert.deepEqual(
    [method, url.pathname, type, body],
    ["PUT", "/v1/policies", "application/yaml", "kind: VirtualService\n"],
  );
  assert.deepEqual(Object.fromEntries(url.searchParams), { wait: "converged", timeout: "30s", file: policyFile });
});

test("apply --wait fails when what is stored cannot be compiled, and names the place", async () => {
  const rejected = [
    {
      kind: "policy",
      key: "VirtualService/default/reviews",
      file: "reviews.yaml",
      line: 4,
      code: "FL_X",
      message: "no subset v9",
    },
    {
      kind: "policy",
      key: "VirtualService/default/other",
      file: "other.yaml",
      line: 1,
      code: "FL_X",
      message: "not of this apply",
      already: true,
    },
  ];
  stub.answer = () =>
    json({ ...applied, convergence: { revision: 7, converged: true, proxies: 5, missing: [], rejected } });
  const { code, err } = await run(["apply", "-f", policyFile, "--wait", "--registry", registryUrl]);
  assert.equal(code, 1);
  assert.equal(
    err,
    "stored, but not all in force; what each said when it last could be compiled stays, where that still can be:\n  reviews.yaml:4 VirtualService/default/reviews: FL_X: no subset v9\n",
  );
});

test("apply refuses a file that is not UTF-8, and sends nothing", async () => {
  const file = join(folder, "latin1.yaml");
  await writeFile(file, Buffer.from("kind: VirtualService\nname: café\n", "latin1"));
  const { code, err } = await run(["apply", "-f", file, "--registry", registryUrl]);
  assert.equal(code, 1);
  assert.match(err, /^FL_CLI_FILE: .*latin1\.yaml:2: the line is not UTF-8/);
  assert.equal(stub.asked.length, 0);
});

test("apply and delete --wait fail when the change breaks other policies, and name them", async () => {
  const other = { kind: "policy", key: "VirtualService/default/other", file: "other.yaml", line: 1, code: "FL_X" };
  const converged = (already: boolean) => ({
    convergence: {
      revision: 7,
      converged: true,
      proxies: 5,
      missing: [],
      rejected: [{ ...other, message: "no subset v9", already }],
    },
  });
  const apply = ["apply", "-f", policyFile, "--wait", "--registry", registryUrl];
  const remove = ["delete", "DestinationRule", "reviews", "--wait", "--registry", registryUrl];
  const named = /breaks others; .*:\n {2}other\.yaml:1 VirtualService\/default\/other: FL_X: no subset v9\n/;

  stub.answer = () => json({ ...applied, ...converged(false) });
  const [applying, deleting] = [await run(apply), await run(remove)];
  assert.deepEqual([applying.code, deleting.code], [1, 1]);
  assert.match(applying.err, named);
  assert.match(deleting.err, named);
  const asJson = await run([...remove, "--json"]);
  assert.deepEqual([asJson.code, asJson.err], [1, ""]);

  stub.answer = () =>
    json({ ...applied, objects: [{ ...applied.objects[0], outcome: "unchanged" }], ...converged(false) });
  assert.equal((await run(apply)).code, 0);
  stub.answer = () => json({ ...applied, ...converged(true) });
  assert.deepEqual([(await run(apply)).code, (await run(remove)).code], [0, 0]);
});

test("a refusal shows every problem with its place, and what to do; --json has the same as fields", async () => {
  const problems = ["reviews.yaml:10:7: spec.http[0].retires is not a field", "reviews.yaml:12:3: weights sum to 90"];
  stub.answer = () =>
    json(
      { code: "FL_POLICY_INVALID", message: `${problems[0]} (and 1 more)`, action: "Correct it.", facts: { problems } },
      400,
    );
  const text = await run(["apply", "-f", policyFile, "--registry", registryUrl]);
  assert.equal(text.code, 1);
  assert.equal(text.err, `FL_POLICY_INVALID: ${problems[0]} (and 1 more)\n  ${problems[1]}\nCorrect it.\n`);
  const asJson = await run(["apply", "-f", policyFile, "--json", "--registry", registryUrl]);
  assert.equal(asJson.code, 1);
  const { code, facts } = JSON.parse(asJson.out) as { code: string; facts: { problems: string[] } };
  assert.deepEqual([code, facts.problems], ["FL_POLICY_INVALID", problems]);
});

test("apply --wait at its time-out says who is missing and what did not compile", async () => {
  const convergence = {
    revision: 7,
    converged: false,
    proxies: 2,
    missing: [{ node: "sidecar~a", type: "rds", reason: "NACKED: no such cluster", sinceMs: 5 }],
    rejected: [
      {
        kind: "policy",
        key: "VirtualService/default/reviews",
        file: "reviews.yaml",
        line: 4,
        code: "FL_X",
        message: "no subset v9",
      },
    ],
  };
  stub.answer = () =>
    json({ code: "FL_NOT_CONVERGED", message: "not converged within 10 s", action: "", facts: {}, convergence }, 504);
  const { code, err } = await run(["apply", "-f", policyFile, "--wait", "--registry", registryUrl]);
  assert.equal(code, 1);
  assert.match(
    err,
    /sidecar~a rds: NACKED: no such cluster\n {2}reviews.yaml:4 VirtualService\/default\/reviews: no subset v9/,
  );
});

test("get follows pages and prints a table; delete names the policy's namespace", async () => {
  stub.answer = ({ url }) =>
    url.searchParams.get("after") === null
      ? json({ services: [{ interface: "shop.A", protocol: "http" }], next: "k" })
      : json({ services: [{ interface: "shop.B", protocol: "grpc" }] });
  const listed = await run(["get", "services", "--registry", registryUrl]);
  assert.equal(listed.out, "INTERFACE  PROTOCOL\nshop.A     http\nshop.B     grpc\n");
  stub.answer = () => json({ revision: 8 });
  const removed = await run(["delete", "VirtualService", "reviews", "-n", "shop", "--registry", registryUrl]);
  assert.equal(removed.out, "VirtualService shop/reviews: deleted, revision 8\n");
  assert.equal(stub.asked[0]!.url.pathname, "/v1/policies/VirtualService/shop/reviews");
});

test("status exits with 1 when a proxy refused something, and prints JSON when asked", async () => {
  const type = {
    type: "rds",
    sentVersion: "2",
    ackedVersion: "1",
    state: "NACKED",
    detail: "bad route",
    sinceMs: Date.now(),
  };
  const report = { gateways: [{ id: "g" }], proxies: [{ node: "n", app: "a", gateway: "g", types: [type] }] };
  const answers: Record<string, object> = {
    "/v1/proxies": report,
    "/v1/gateways": { gateways: [{ id: "g", revision: 7, connected: 1, lastHeardMs: 5 }] },
    "/v1/nacks": { nacks: [] },
    "/v1/compiler": { revision: 7, active: true, rejected: [] },
  };
  stub.answer = ({ url }) => json(answers[url.pathname]!);
  const { code, out } = await run(["status", "--registry", registryUrl]);
  assert.equal(code, 1);
  assert.match(out, /RDS {3}1 → 2 {4}NACKED .*bad route/);
  assert.match(out, /^ads-gateway g: revision 7, 1 proxies/m);
  const asJson = await run(["status", "--json", "--registry", registryUrl]);
  assert.equal((JSON.parse(asJson.out) as typeof report).proxies[0]!.types[0]!.state, "NACKED");
});

test("what answers and is not registry-sync, or does not answer, is told apart", async () => {
  stub.answer = () => ({ status: 200, body: "<html>" });
  const wrong = await run(["status", "--registry", registryUrl]);
  assert.equal(wrong.code, 1);
  assert.match(wrong.err, /^FL_CLI_BAD_ANSWER: .* answered 200 .*<html>/);
  stub.answer = () => json({ gateways: "none" });
  assert.match((await run(["status", "--registry", registryUrl])).err, /^FL_CLI_BAD_ANSWER/);
  const closed = createServer().listen(0, "127.0.0.1");
  await once(closed, "listening");
  const { port } = closed.address() as AddressInfo;
  closed.close();
  await once(closed, "close");
  const nobody = await run(["status", "--registry", `http://127.0.0.1:${port}`]);
  assert.equal(nobody.code, 1);
  assert.match(
    nobody.err,
    /^FL_CLI_UNREACHABLE: no answer from registry-sync at http:\/\/127.0.0.1:\d+: .*ECONNREFUSED/,
  );
});

test("wrong usage exits with 64 and says what is wrong", async () => {
  for (const [args, words] of [
    [["dance"], /unknown command 'dance'/],
    [["apply"], /required option '-f, --file <file>' not specified/],
    [["get", "everything"], /Allowed choices are services, instances, nodes, policies/],
    [["delete", "Deployment", "x"], /Allowed choices are VirtualService, DestinationRule/],
    [["up", "--port-base", "80"], /a number from 1024 to 65527/],
    [["up", "--free-ports", "--port-base", "20000"], /FL_CLI_USAGE: --free-ports and --port-base exclude each other/],
    [["apply", "-f", policyFile, "--timeout", "soon"], /FL_CLI_USAGE: --timeout soon: expected a number with a unit/],
    [["diff"], /FL_CLI_USAGE: give either --file or --delete/],
    [["diff", "--delete", "reviews"], /FL_CLI_USAGE: --delete reviews: expected kind\/name/],
    [["status", "--registry", "127.0.0.1:13300"], /FL_CLI_USAGE: "127.0.0.1:13300" is not the URL/],
  ] as const) {
    const { code, err } = await run(args);
    assert.equal(code, 64, args.join(" "));
    assert.match(err, words);
  }
  const missing = await run(["apply", "-f", join(folder, "none.yaml")]);
  assert.equal(missing.code, 1);
  assert.match(missing.err, /^FL_CLI_FILE: cannot read .*none.yaml/);
});

test("help comes with examples, for every command that takes more than a name", async () => {
  for (const command of ["up", "status", "apply", "diff", "explain", "get", "delete"]) {
    const { code, out } = await run([command, "--help"]);
    assert.equal(code, 0);
    assert.match(out, /Examples:\n {2}fairlead /);
  }
});
