import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { until } from "@fairlead/testing-basics";
import { ProxyInThreads } from "../testing/proxy-in-threads.ts";

test("a worker has as little room for young objects as the main thread of an image", async () => {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-worker-memory-"));
  try {
    const [module, found] = [join(folder, "module.mjs"), join(folder, "found")];
    const source = `import { renameSync, writeFileSync } from "node:fs";
import { resourceLimits } from "node:worker_threads";
writeFileSync(${JSON.stringify(`${found}.new`)}, String(resourceLimits.maxYoungGenerationSizeMb));
renameSync(${JSON.stringify(`${found}.new`)}, ${JSON.stringify(found)});`;
    writeFileSync(module, source);
    await using proxy = await ProxyInThreads.start({ clusters: [] }, { modules: () => [pathToFileURL(module).href] });
    await until("a worker has started", () => existsSync(found));
    assert.deepEqual(proxy.logged, []);
    assert.equal(readFileSync(found, "utf8"), "24");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
