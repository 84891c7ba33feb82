import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { bridgedRegistries } from "./bridged-registry.ts";

test("several registries, with what each has of its own", () => {
  assert.deepEqual(
    bridgedRegistries.parse(
      "main=zookeeper://zk1:2181,zk2:2181/dev?root=shop&export=false  other=zookeeper://mesh:p%40ss@h",
    ),
    [
      {
        name: "main",
        servers: "zk1:2181,zk2:2181/dev",
        root: "shop",
        servicesRoot: "services",
        digest: undefined,
        exports: false,
      },
      { name: "other", servers: "h", root: "dubbo", servicesRoot: "services", digest: "mesh:p@ss", exports: true },
    ],
  );
  assert.deepEqual(bridgedRegistries.parse(""), []);
});

test("what is wrong is said, and a password is not", () => {
  const problem = (text: string) =>
    bridgedRegistries
      .safeParse(text)
      .error?.issues.map(({ message }) => message)
      .join("; ") ?? "";
  assert.match(problem("zookeeper://a:secret@h"), /^a registry: expected name=zookeeper/);
  assert.match(problem("a=etcd://b:secret@h"), /^a: expected name=zookeeper/);
  assert.match(problem("a=nacos://b:secret@h:99999"), /^a: expected nacos:/);
  assert.match(problem("a=nacos://h?username=b"), /^a: a username needs a passwordFile/);
  assert.match(problem("a=nacos://h?services=smtp"), /^a: services is one of http, /);
  assert.match(problem("a=nacos://h?root=x"), /^a: unknown root; known are namespace, /);
  assert.match(problem("a=zookeeper://h?roots=x"), /a: unknown roots; known are root, services, export, interfaces/);
  assert.match(problem("a=zookeeper://h?export=yes"), /export is true or false/);
  assert.match(problem("a=zookeeper://h a=zookeeper://i"), /two registries have one name/);
  for (const text of ["zookeeper://a:secret@h", "a=etcd://b:secret@h", "a=nacos://b:secret@h:99999"])
    assert.doesNotMatch(problem(text), /secret/);
});

test("a Nacos, with a password in the setting or in a file", async () => {
  const folder = await mkdtemp(join(tmpdir(), "fairlead-nacos-"));
  await writeFile(join(folder, "password"), "from a file\n");
  const [first, second] = bridgedRegistries.parse(
    `a=nacos://mesh:p%40ss@n1:8848,n2?namespace=dev&group=shop&services=http b=nacos://n3?username=mesh&passwordFile=${folder}/password&export=false`,
  );
  const { credentials, ...settings } = first!.nacos!;
  assert.equal(first!.servers, "n1:8848,n2");
  assert.deepEqual(settings, { namespace: "dev", group: "shop", ordinary: "http" });
  assert.deepEqual([credentials?.username, await credentials?.password()], ["mesh", "p@ss"]);
  assert.deepEqual(
    [second!.exports, second!.nacos!.namespace, second!.nacos!.group],
    [false, "public", "DEFAULT_GROUP"],
  );
  assert.equal(await second!.nacos!.credentials?.password(), "from a file");
  await rm(folder, { recursive: true });
});

test("what could not work is refused when the process starts, and nothing of a password is shown", () => {
  const refused = (text: string, expected: RegExp) => {
    const result = bridgedRegistries.safeParse(text);
    const said = result.error?.issues.map(({ message }) => message).join("; ") ?? "nothing";
    assert.match(said, expected, text);
    assert.doesNotMatch(said, /s3cret/);
  };
  refused("a=zookeeper://h:99999", /expected zookeeper:/);
  refused("a=zookeeper://h,,i", /expected zookeeper:/);
  refused("a=zookeeper:///path", /expected zookeeper:/);
  for (const password of ["s3cret@x", "s3cret/x"]) refused(`a=zookeeper://u:${password}@h`, /in a password @ is %40/);
  refused("a=zookeeper://u:s3cret%zz@h", /in a password % is written %25/);
  refused("a=zookeeper://s3cret@h", /expected user:password/);
  for (const root of ["", "/", "a//b"]) refused(`a=zookeeper://h?root=${root}`, /root and services are paths/);
  refused("a=zookeeper://h?root=services", /two paths/);
  refused("a=zookeeper://h?root=x&root=y", /root is there twice/);
  refused("a=zookeeper://h?interfaces=org.x.*,", /interfaces are names such as/);
});

test("a registry may be kept to some interfaces", () => {
  const [registry] = bridgedRegistries.parse("a=zookeeper://h?interfaces=org.shop.*,com.pay.Cards");
  assert.deepEqual(registry?.interfaces, ["org.shop.*", "com.pay.Cards"]);
});
