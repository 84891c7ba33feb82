import assert from "node:assert/strict";
import { test } from "node:test";
import { compiledManifest, type PackageManifest, sidecarBurdens } from "./package-manifest.ts";

test("entry points of the compiled package are JavaScript, and nothing runs at install", () => {
  const manifest = {
    name: "@fairlead/x",
    exports: { ".": "./src/index.ts", "./*": "./gen/*" },
    bin: { x: "./src/main.ts" },
    scripts: { prepare: "node tools/generate/api.ts" },
    dependencies: { zod: "4.6.7" },
    devDependencies: { "@fairlead/testing-servers": "*" },
  };
  assert.deepEqual(compiledManifest(manifest), {
    name: "@fairlead/x",
    exports: { ".": "./src/index.js", "./*": "./gen/*" },
    bin: { x: "./src/main.js" },
    dependencies: { zod: "4.6.7" },
  });
});

test("a store that gets into the sidecar is named with the way it got there", () => {
  const manifests: PackageManifest[] = [
    { name: "@fairlead/sidecar", dependencies: { "@fairlead/http-api": "*", zod: "4.6.7" } },
    { name: "@fairlead/http-api", dependencies: { "@fairlead/store": "*" } },
    { name: "@fairlead/store", dependencies: { typeorm: "1.1.1" } },
  ];
  const workspaces = new Map(manifests.map((manifest) => [manifest.name, manifest]));
  assert.deepEqual(sidecarBurdens(workspaces), [
    "@fairlead/store gets into the sidecar: @fairlead/sidecar → @fairlead/http-api → @fairlead/store",
    "typeorm gets into the sidecar: @fairlead/sidecar → @fairlead/http-api → @fairlead/store → typeorm",
  ]);
});
