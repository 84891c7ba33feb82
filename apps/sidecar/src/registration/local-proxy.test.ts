import assert from "node:assert/strict";
import { setImmediate as settle } from "node:timers/promises";
import { test } from "node:test";
import type { ListenerState, ListenerStatus } from "@fairlead/proxy-runtime";
import { InboundOfRuntime } from "./local-proxy.ts";

class FakeRuntime {
  state: ListenerState | undefined;
  route: string | undefined;
  readonly changed = new Set<() => void>();

  listeners(): readonly ListenerStatus[] {
    return this.state === undefined
      ? []
      : [{ name: "inbound", address: "127.0.0.1", port: 15006, state: this.state, activeRequests: 0 }];
  }
  onListenersChanged(listener: () => void): () => void {
    this.changed.add(listener);
    return () => this.changed.delete(listener);
  }
  headers: readonly string[] = [];

  routeFor(
    listenerName: string,
    host: string,
    _path?: string,
    headers: readonly string[] = [],
  ): { clusters: string[] } | undefined {
    assert.deepEqual([listenerName, host], ["inbound", "shop.Orders"]);
    this.headers = headers;
    return this.route === undefined ? undefined : { clusters: ["inbound|1", this.route] };
  }
  async whenIdle(cluster: string): Promise<boolean> {
    return cluster === "inbound|8080";
  }
  set(state: ListenerState | undefined, route: string | undefined): void {
    this.state = state;
    this.route = route;
    for (const listener of this.changed) listener();
  }
}
const orders = { interface: "shop.Orders", port: 8080, protocol: "http" } as const;

test("a service is served when the inbound listener is active and leads to its port", async () => {
  const runtime = new FakeRuntime();
  const proxy = new InboundOfRuntime(runtime);
  let served = false;
  const serving = proxy.serves(orders, new AbortController().signal).then(() => (served = true));
  for (const [state, route] of [
    ["active", undefined],
    ["warming", "inbound|8080"],
    ["active", "inbound|9090"],
    ["draining", "inbound|8080"],
    [undefined, "inbound|8080"],
  ] as const) {
    runtime.set(state, route);
    await settle();
    assert.equal(served, false, `${state} ${route}`);
  }
  runtime.set("active", "inbound|8080");
  await serving;
  assert.equal(runtime.changed.size, 0, "it no longer listens");
  await proxy.serves(orders, new AbortController().signal);
});

test("an aborted wait ends with the signal's reason and leaves nothing behind", async () => {
  const runtime = new FakeRuntime();
  const abort = new AbortController();
  const waiting = assert.rejects(new InboundOfRuntime(runtime).serves(orders, abort.signal), /enough/);
  abort.abort(new Error("enough"));
  await waiting;
  assert.equal(runtime.changed.size, 0);
});

test("idle is asked of the port's cluster", async () => {
  assert.equal(await new InboundOfRuntime(new FakeRuntime()).whenIdle(8080, { quietMs: 1, timeoutMs: 1 }), true);
});

test("a Dubbo service is looked for by its protocol: the interface may be there over HTTP at another port", async () => {
  const runtime = new FakeRuntime();
  runtime.set("active", "inbound|8080");
  await new InboundOfRuntime(runtime).serves({ ...orders, protocol: "dubbo" }, new AbortController().signal);
  assert.deepEqual(runtime.headers, ["x-rpc-protocol", "dubbo"]);
});
