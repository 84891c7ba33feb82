import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { test } from "node:test";
import { FairleadError } from "@fairlead/errors";
import { nodeSchema } from "@fairlead/registration";
import { NodePresence } from "./node-presence.ts";

const node = nodeSchema.parse({ id: "router~1", app: "edge", address: "127.0.0.1" });
const logger = { info() {}, warn() {} };

/** Answers by operation; each call is told. */
class Registry extends EventEmitter {
  readonly calls: string[] = [];
  readonly failures: FairleadError[] = [];

  async call({ method, path }: { method: string; path: string }): Promise<unknown> {
    const operation = `${method} ${path}`;
    this.calls.push(operation);
    setImmediate(() => this.emit(operation));
    const failure = this.failures.shift();
    if (failure !== undefined) throw failure;
    return { leaseTtlMs: 30 };
  }
}
const presenceAt = (registry: Registry) =>
  new NodePresence({ registry, node, leaseTtlMs: 30, logger, random: () => 0.5 });
const unavailable = () => new FairleadError("FL_REGISTRY_UNAVAILABLE", "away");

test("the node is registered, renewed at a third of the lease, and removed at the stop", async () => {
  const registry = new Registry();
  const presence = presenceAt(registry);
  presence.start();
  await once(registry, "POST /v1/leases/renew");
  assert.equal(presence.registered, true);
  await presence.stop();
  assert.equal(registry.calls[0], "POST /v1/nodes");
  assert.equal(registry.calls.at(-1), "DELETE /v1/nodes/router~1");
});

test("a registry that is away is asked again, and one that has lost the node gets it again", async () => {
  const registry = new Registry();
  registry.failures.push(unavailable(), unavailable());
  const presence = presenceAt(registry);
  presence.start();
  await once(registry, "POST /v1/leases/renew");
  assert.deepEqual(
    registry.calls.slice(0, 3),
    Array.from({ length: 3 }, () => "POST /v1/nodes"),
  );
  registry.failures.push(new FairleadError("FL_NODE_UNKNOWN", "lost"));
  await once(registry, "POST /v1/nodes");
  await once(registry, "POST /v1/leases/renew");
  assert.equal(presence.registered, true);
  await presence.stop();
});

test("a stop while the registry is away ends", async () => {
  const registry = new Registry();
  registry.failures.push(...Array.from({ length: 100 }, unavailable));
  const presence = presenceAt(registry);
  presence.start();
  await once(registry, "POST /v1/nodes");
  await presence.stop();
  assert.equal(presence.registered, false);
});
