import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { canReach, serverAccount } from "./server-account.ts";

const passwd =
  "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534::/:/usr/sbin/nologin\npostgres:x:101:104:,,,:/var/lib/postgresql:/bin/bash\n";

test("root uses the account postgres, else nobody; anyone else their own", () => {
  assert.deepEqual(
    serverAccount(0, () => passwd),
    { name: "postgres", uid: 101, gid: 104 },
  );
  assert.deepEqual(
    serverAccount(0, () => passwd.replace("postgres:", "mysql:")),
    { name: "nobody", uid: 65534, gid: 65534 },
  );
  assert.equal(
    serverAccount(1000, () => passwd),
    undefined,
  );
});

test("an account reaches what is below folders that it may enter", async () => {
  const folder = await mkdtemp(join(tmpdir(), "fairlead-reach-"));
  const inner = join(folder, "inner");
  await mkdir(inner);
  const stranger = { name: "stranger", uid: 4_000_000, gid: 4_000_000 };
  try {
    assert.equal(await canReach(stranger, inner), false); // mkdtemp makes 0700
    await chmod(folder, 0o711);
    assert.equal(await canReach(stranger, inner), true);
    const { uid, gid } = { uid: process.getuid!(), gid: process.getgid!() };
    await chmod(folder, 0o077);
    assert.equal(await canReach({ name: "own", uid, gid }, inner), false); // the owner's bit counts, not the others'
  } finally {
    await chmod(folder, 0o700);
    await rm(folder, { recursive: true, force: true });
  }
});
