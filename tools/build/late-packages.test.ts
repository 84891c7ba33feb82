import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { bundleApp } from "./bundle-app.ts";
import { latePackageNames } from "./late-packages.ts";

test("what few proxies use is in files of its own, and is there when it is asked for", async () => {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-late-"));
  try {
    await bundleApp("apps/sidecar", folder);
    const require = createRequire(join(folder, "main.js"));
    for (const [file, names] of Object.entries(latePackageNames)) {
      const load = require(`./${file}`) as (name: string) => unknown;
      for (const name of names) assert.match(typeof load(name), /^(object|function)$/, name);
    }
    const others = readdirSync(folder).filter((name) => name.endsWith(".js"));
    const text = others.map((name) => readFileSync(join(folder, name), "utf8")).join("");
    for (const words of ["MissingRefError", "Nested mappings are not allowed", "loadFileDescriptorSetFromBuffer"])
      assert.ok(!text.includes(words), `${words}, of a late package, is in the files that each proxy loads`);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
