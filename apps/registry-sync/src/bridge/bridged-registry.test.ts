import assert from "node:assert/strict";
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
  assert.match(problem("a=nacos://b:secret@h"), /^a: expected name=zookeeper/);
  assert.match(problem("a=zookeeper://h?roots=x"), /a: unknown roots; known are root, services, export/);
  assert.match(problem("a=zookeeper://h?export=yes"), /export is true or false/);
  assert.match(problem("a=zookeeper://h a=zookeeper://i"), /two registries have one name/);
  for (const text of ["zookeeper://a:secret@h", "a=nacos://b:secret@h"]) assert.doesNotMatch(problem(text), /secret/);
});
