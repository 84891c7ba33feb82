import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { callExplanationSchema } from "@fairlead/registration";
import { MeshUnderTest } from "./testing/mesh-under-test.ts";
import { runCommand } from "./testing/run-command.ts";

let mesh: MeshUnderTest;
before(async () => {
  mesh = await MeshUnderTest.start();
  for (const [id, version, port] of [
    ["reviews-1", "v1", 8081],
    ["reviews-2", "v2", 8082],
  ] as const) {
    await mesh.post("/pub", {
      service: { interface: "shop.Reviews", port, version },
      node: { id, app: "reviews", address: "10.0.0.1" },
    });
  }
  for (const [id, name] of [
    ["web-1", "shop.Reviews"],
    ["cart-1", "shop.Stock"],
  ] as const) {
    await mesh.post("/sub", {
      service: { interface: name },
      node: { id, app: "shop", address: "10.0.0.9", outboundPort: 15001 },
    });
  }
  // Nobody is connected: the registered proxies are not waited for longer.
  await mesh.apply("reviews.yaml", policies, "1ms");
  await mesh.untilCompiled();
});
after(() => mesh?.stop());

const policies = `apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: versions }
spec:
  host: shop.Reviews
  subsets:
    - { name: v1, labels: { version: v1 } }
    - { name: v2, labels: { version: v2 } }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: reviews }
spec:
  hosts: [shop.Reviews]
  http:
    - name: testers
      match: [{ uri: { prefix: /reviews }, headers: { x-user: { exact: jason } } }]
      route: [{ destination: { host: shop.Reviews, subset: v2 } }]
    - name: everybody
      timeout: 3s
      route:
        - { destination: { host: shop.Reviews, subset: v1 }, weight: 75 }
        - { destination: { host: shop.Reviews, subset: v2 }, weight: 25 }
`;
const explain = (...args: string[]) => runCommand(["explain", ...args, "--registry", mesh.registryUrl]);

test("a call's way, with the policy lines and instances that each step comes from", async () => {
  const { code, out, err } = await explain(
    "shop.Reviews",
    "--path",
    "/reviews/7",
    "--header",
    "X-User=jason",
    "--from",
    "web-1",
  );
  assert.equal(code, 0, err);
  const told = out
    .replaceAll(mesh.fileNamed("reviews.yaml"), "reviews.yaml")
    .replace(/scope [0-9a-f]+/, "scope S")
    .replace(/revision \d+/, "revision N");
  assert.equal(
    told,
    `proxy         web-1; sees what it subscribed to (scope S); revision N
listener      outbound  from node web-1
virtual host  shop.Reviews  from policy reviews.yaml:10 VirtualService/default/reviews, service http/shop.Reviews
route         testers  matched by prefix /reviews
sent          shop.Reviews/reviews/7  no time-out
cluster       outbound|http|v2|shop.Reviews  100 %  from service http/shop.Reviews, policy reviews.yaml:1 DestinationRule/default/versions
  endpoint    10.0.0.1:8082  weight 100
  from instance reviews-2|http|shop.Reviews||v2|8082, policy reviews.yaml:1 DestinationRule/default/versions
`,
  );
});

test("shares of clusters, and all of it as JSON", async () => {
  const { out } = await explain("shop.Reviews:8080", "--path", "/reviews/7");
  assert.match(out, /^proxy {9}a proxy that nobody registered; sees everything; /);
  assert.match(out, /^listener {6}none of the mesh's$/m);
  assert.match(out, /^route {9}everybody {2}matched by prefix \/\nsent .* time-out 3000 ms$/m);
  assert.deepEqual(
    [...out.matchAll(/^cluster +(\S+) {2}(\S+ %)/gm)].map(([, name, share]) => `${name} ${share}`),
    ["outbound|http|v1|shop.Reviews 75 %", "outbound|http|v2|shop.Reviews 25 %"],
  );
  const json = await explain("shop.Reviews", "--json");
  const { clusters } = callExplanationSchema.parse(JSON.parse(json.out));
  assert.deepEqual(clusters[0]?.endpoints, [{ address: "10.0.0.1", port: 8081, weight: 100, priority: 0 }]);
});

test("a call that would not arrive: exit code 1, and what the proxy would answer", async () => {
  const unseen = await explain("shop.Reviews", "--from", "cart-1");
  assert.equal(unseen.code, 1);
  assert.match(unseen.out, /^answer {8}404: no route is for it$/m);
  const empty = await explain("shop.Stock", "--from", "cart-1");
  assert.equal(empty.code, 1);
  assert.match(empty.out, /no endpoint: 503/);
  const wrong = await explain("shop.Reviews", "--path", "nowhere");
  assert.equal(wrong.code, 1);
  assert.match(wrong.err, /^FL_REQUEST_INVALID: query\.path: a path begins with \//);
});
