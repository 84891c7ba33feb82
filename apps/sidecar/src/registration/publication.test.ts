import assert from "node:assert/strict";
import { setImmediate as settle } from "node:timers/promises";
import { afterEach, beforeEach, mock, test } from "node:test";
import { FairleadError } from "@fairlead/errors";
import { RelayedError } from "@fairlead/http-api";
import { type PublicationAnswer, type ServiceBody, serviceSchema } from "@fairlead/registration";
import type { CallOptions, Registry } from "../registry/registry.ts";
import type { LocalProxy } from "./local-proxy.ts";
import { Publications } from "./publications.ts";

type Calls = Pick<Registry, "publish" | "setState" | "unpublish">;
const refusal = (status: number, code: `FL_${string}`) =>
  new RelayedError({ status, code, message: `the registry says ${code}`, action: "", facts: {} });
const away = () => new FairleadError("FL_REGISTRY_UNAVAILABLE", "the registry is away");

/** Records each call; answers with the next revision, unless `next` holds what to do instead. */
class FakeRegistry implements Calls {
  readonly calls: string[] = [];
  /** For the next calls, in order: an error to fail with, or a promise to wait for. */
  readonly next: (Error | Promise<void> | undefined)[] = [];
  #revision = 0;

  publish(service: ServiceBody, state: string, options: CallOptions = {}): Promise<PublicationAnswer> {
    return this.#call(`pub ${service.interface}:${service.port} ${state}`, options);
  }
  setState(_service: unknown, state: string, options: CallOptions = {}): Promise<PublicationAnswer> {
    return this.#call(`state ${state}`, options);
  }
  unpublish(service: { interface: string }, options: CallOptions = {}): Promise<PublicationAnswer> {
    return this.#call(`unpub ${service.interface}`, options);
  }
  async #call(what: string, { waitMs }: CallOptions): Promise<PublicationAnswer> {
    this.calls.push(waitMs === undefined ? what : `${what} wait=${waitMs}`);
    const outcome = this.next.shift();
    if (outcome instanceof Error) throw outcome;
    await outcome;
    const revision = (this.#revision += 1);
    return {
      err_no: 0,
      err_msg: "ok",
      revision,
      ...(waitMs === undefined
        ? {}
        : { convergence: { revision, converged: true, proxies: 1, missing: [], rejected: [] } }),
    };
  }
}

/** The test says when the inbound listener serves, and when calls have ended. */
class FakeProxy implements LocalProxy {
  serving = true;
  idle: boolean | Promise<boolean> = true;
  idleWaits: string[] = [];
  readonly #waiting = new Set<() => void>();

  async serves(_service: unknown, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.serving) return;
    await new Promise<void>((resolve, reject) => {
      this.#waiting.add(resolve);
      signal.addEventListener("abort", () => reject(signal.reason));
    });
  }
  serve(): void {
    this.serving = true;
    for (const resolve of this.#waiting) resolve();
  }
  async whenIdle(port: number, { quietMs, timeoutMs }: { quietMs: number; timeoutMs: number }): Promise<boolean> {
    this.idleWaits.push(`${port} ${quietMs} ${timeoutMs}`);
    return await this.idle;
  }
}

const orders = serviceSchema.parse({ interface: "shop.Orders", port: 8080 });
let registry: FakeRegistry;
let proxy: FakeProxy;
let publications: Publications;

beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  registry = new FakeRegistry();
  proxy = new FakeProxy();
  publications = new Publications({ registry, proxy, nodeId: "n", now: Date.now });
});
afterEach(() => {
  publications.close();
  mock.timers.reset();
});

/** Lets everything run that needs no timer, then turns the clock. */
async function tick(ms: number): Promise<void> {
  for (let count = 0; count < 5; count += 1) await settle();
  mock.timers.tick(ms);
  for (let count = 0; count < 5; count += 1) await settle();
}
const statuses = () => publications.list().map(({ service, state }) => `${service.interface} ${state}`);
const isCode = (code: string) => (error: unknown) => error instanceof FairleadError && error.code === code;

test("publish: warming, then the inbound listener, then ready with the caller's wait", async () => {
  proxy.serving = false;
  const answer = publications.publish(orders, 10_000);
  await tick(1000);
  assert.deepEqual(registry.calls, ["pub shop.Orders:8080 warming"]);
  assert.match(publications.list()[0]?.waitingFor ?? "", /inbound listener/);
  proxy.serve();
  assert.equal((await answer).revision, 2);
  assert.deepEqual(registry.calls.slice(1), ["state ready wait=9000"]);
  assert.equal((await answer).convergence?.converged, true);
  assert.deepEqual(statuses(), ["shop.Orders ready"]);
  assert.equal(publications.list()[0]?.waitingFor, "nothing");
});

test("without wait the answer comes when it is ready, or after 2 s with the first revision, and the road goes on", async () => {
  assert.equal((await publications.publish(orders, undefined)).revision, 2);
  proxy.serving = false;
  const slow = publications.publish({ ...orders, port: 8081 }, undefined);
  await tick(2000);
  assert.equal((await slow).revision, 3);
  assert.deepEqual(statuses(), ["shop.Orders ready", "shop.Orders warming"]);
  proxy.serve();
  await tick(0);
  assert.deepEqual(statuses(), ["shop.Orders ready", "shop.Orders ready"]);
});

test("a wait that runs out names the missing step; the road goes on, and waits for no proxies any more", async () => {
  proxy.serving = false;
  const answer = publications.publish(orders, 3000);
  const refused = assert.rejects(answer, (error) => {
    assert.ok(error instanceof FairleadError);
    assert.equal(error.code, "FL_NOT_CONVERGED");
    assert.match(error.message, /is warming; after 3000 ms it still waits for this sidecar's inbound listener/);
    assert.equal(error.facts["step"], "inbound");
    return true;
  });
  await tick(3500);
  await refused;
  proxy.serve();
  await tick(0);
  assert.deepEqual(registry.calls, ["pub shop.Orders:8080 warming", "state ready"]);
  assert.deepEqual(statuses(), ["shop.Orders ready"]);
});

test("what the registry could not store, or refused, is not kept", async () => {
  registry.next.push(away());
  await assert.rejects(publications.publish(orders, undefined), isCode("FL_REGISTRY_UNAVAILABLE"));
  registry.next.push(refusal(400, "FL_REQUEST_INVALID"));
  await assert.rejects(publications.publish(orders, 1000), isCode("FL_REQUEST_INVALID"));
  assert.deepEqual(publications.list(), []);
});

test("what was stored is brought to ready over a loss of the registry", async () => {
  registry.next.push(undefined, away(), refusal(503, "FL_STORE_UNAVAILABLE"));
  const answer = publications.publish(orders, undefined);
  for (let count = 0; count < 40; count += 1) await tick(50);
  assert.ok((await answer).revision > 0);
  await tick(2000);
  assert.deepEqual(registry.calls, ["pub shop.Orders:8080 warming", "state ready", "state ready", "state ready"]);
  assert.deepEqual(statuses(), ["shop.Orders ready"]);
});

test("an instance that the registry lost before it was ready is published from the beginning", async () => {
  registry.next.push(undefined, refusal(404, "FL_INSTANCE_UNKNOWN"));
  const answer = publications.publish(orders, undefined);
  await tick(600);
  await answer;
  assert.deepEqual(registry.calls, [
    "pub shop.Orders:8080 warming",
    "state ready",
    "pub shop.Orders:8080 warming",
    "state ready",
  ]);
});

test("a ready publication that is published again never becomes warming, so its callers keep it", async () => {
  await publications.publish(orders, undefined);
  proxy.serving = false;
  const heavier = { ...orders, weight: 200 };
  await publications.publish(heavier, 1000);
  assert.deepEqual(registry.calls.slice(2), ["pub shop.Orders:8080 ready wait=1000"]);
  assert.equal(publications.list()[0]?.service.weight, 200);
});

test("a change that could not be stored leaves what was stored, and its road goes on", async () => {
  proxy.serving = false;
  const first = publications.publish(orders, undefined);
  const superseded = assert.doesNotReject(first);
  await tick(2000);
  await superseded;
  registry.next.push(away());
  await assert.rejects(publications.publish({ ...orders, weight: 200 }, undefined), isCode("FL_REGISTRY_UNAVAILABLE"));
  proxy.serve();
  await tick(600);
  assert.deepEqual(statuses(), ["shop.Orders ready"]);
  assert.equal(publications.list()[0]?.service.weight, 100);
});

test("the same call again joins the road that is under way", async () => {
  proxy.serving = false;
  const one = publications.publish(orders, undefined);
  const two = publications.publish({ ...orders }, 5000);
  await tick(100);
  proxy.serve();
  assert.equal((await one).revision, 2);
  assert.equal((await two).convergence?.converged, true);
  assert.deepEqual(registry.calls, ["pub shop.Orders:8080 warming", "state ready", "state ready wait=4900"]);
});

test("withdraw: draining until proxies ACKed, then no call under way, then deleted", async () => {
  await publications.publish(orders, undefined);
  const idle = Promise.withResolvers<boolean>();
  proxy.idle = idle.promise;
  const answer = publications.withdraw(orders, 10_000);
  await tick(0);
  assert.deepEqual(registry.calls.slice(2), ["state draining wait=10000"]);
  assert.deepEqual(proxy.idleWaits, ["8080 100 10000"]);
  assert.deepEqual(statuses(), ["shop.Orders draining"]);
  idle.resolve(true);
  assert.equal((await answer).convergence?.converged, true);
  assert.deepEqual(registry.calls.slice(3), ["unpub shop.Orders"]);
  assert.deepEqual(publications.list(), []);
});

for (const [what, arrange, message] of [
  [
    "a proxy that does not ACK",
    () => registry.next.push(refusal(504, "FL_NOT_CONVERGED")),
    /FL_NOT_CONVERGED; .* stays draining until \/unpub is repeated/,
  ],
  ["a call that does not end", () => (proxy.idle = false), /still under way; it stays draining/],
] as const) {
  test(`withdraw: ${what} keeps it draining, and a later call goes on from there`, async () => {
    await publications.publish(orders, undefined);
    arrange();
    await assert.rejects(publications.withdraw(orders, 1000), (error) => {
      assert.ok(error instanceof FairleadError);
      assert.equal(error.code, "FL_NOT_CONVERGED");
      assert.match(error.message, message);
      return true;
    });
    assert.deepEqual(statuses(), ["shop.Orders draining"]);
    proxy.idle = true;
    await publications.withdraw(orders, 1000);
    assert.deepEqual(publications.list(), []);
  });
}

test("withdraw: a registry that hangs is given up on at the time-out", async () => {
  await publications.publish(orders, undefined);
  registry.next.push(new Promise(() => undefined));
  const refused = assert.rejects(publications.withdraw(orders, 1000), isCode("FL_NOT_CONVERGED"));
  await tick(2000);
  await refused;
});

test("without wait /unpub answers when callers are told, and goes on until it is deleted", async () => {
  await publications.publish(orders, undefined);
  registry.next.push(undefined, refusal(504, "FL_NOT_CONVERGED"), away());
  assert.equal((await publications.withdraw(orders, undefined)).revision, 3);
  assert.deepEqual(statuses(), ["shop.Orders draining"]);
  for (let count = 0; count < 40; count += 1) await tick(100);
  assert.deepEqual(registry.calls.slice(2), [
    "state draining",
    "state draining wait=10000",
    "state draining wait=10000",
    "state draining wait=10000",
    "unpub shop.Orders",
  ]);
  assert.deepEqual(publications.list(), []);
});

test("a registry that is away refuses /unpub, and the publication stays as it was", async () => {
  await publications.publish(orders, undefined);
  registry.next.push(away());
  await assert.rejects(publications.withdraw(orders, undefined), isCode("FL_REGISTRY_UNAVAILABLE"));
  assert.deepEqual(statuses(), ["shop.Orders ready"]);
});

test("what the registry does not know (any more) is withdrawn without it", async () => {
  await publications.publish(orders, undefined);
  registry.next.push(refusal(404, "FL_INSTANCE_UNKNOWN"), refusal(404, "FL_INSTANCE_UNKNOWN"));
  assert.equal((await publications.withdraw(orders, 1000)).revision, 2);
  assert.deepEqual(publications.list(), []);
});

test("/unpub of what this sidecar does not hold is left to the registry", async () => {
  await publications.withdraw({ ...orders, port: undefined }, 500);
  assert.deepEqual(registry.calls, ["unpub shop.Orders wait=500"]);
});

test("the later of /pub and /unpub wins, whatever the earlier one waits for", async () => {
  proxy.serving = false;
  const first = assert.rejects(publications.publish(orders, 5000), isCode("FL_SUPERSEDED"));
  await tick(0);
  await publications.withdraw(orders, 5000);
  await first;
  assert.deepEqual(publications.list(), []);
  proxy.serving = true;
  await publications.publish(orders, undefined);
  proxy.idle = new Promise(() => undefined);
  const second = assert.rejects(publications.withdraw(orders, 5000), isCode("FL_SUPERSEDED"));
  await tick(0);
  await publications.publish(orders, undefined);
  await second;
  assert.deepEqual(statuses(), ["shop.Orders ready"]);
  assert.deepEqual(registry.calls.slice(-3), [
    "state draining wait=5000",
    "pub shop.Orders:8080 warming",
    "state ready",
  ]);
});

test("a road begins only when the one before has ended, so that their calls reach the registry in order", async () => {
  const inFlight = Promise.withResolvers<void>();
  registry.next.push(inFlight.promise);
  const first = assert.rejects(publications.publish(orders, undefined), isCode("FL_SUPERSEDED"));
  await tick(0);
  const second = publications.withdraw(orders, 1000);
  await tick(0);
  assert.deepEqual(registry.calls, ["pub shop.Orders:8080 warming"]);
  inFlight.resolve();
  await tick(0);
  await Promise.all([first, second]);
  assert.deepEqual(registry.calls.slice(1), ["state draining wait=1000", "unpub shop.Orders"]);
  assert.deepEqual(publications.list(), []);
});

test("one port under two names: the wait for quiet is short, because the other's calls look the same", async () => {
  const catalog = { ...orders, interface: "shop.Catalog" };
  await publications.publish(orders, undefined);
  await publications.publish(catalog, undefined);
  proxy.idle = false;
  await publications.withdraw(orders, 30_000);
  assert.deepEqual(proxy.idleWaits, ["8080 100 1000"]);
  assert.deepEqual(statuses(), ["shop.Catalog ready"]);
});

test("a service on two ports is withdrawn by its port", async () => {
  await publications.publish(orders, undefined);
  await publications.publish({ ...orders, port: 8081 }, undefined);
  await assert.rejects(publications.withdraw({ ...orders, port: undefined }, 500), /several ports \(8080, 8081\)/);
  await publications.withdraw({ ...orders, port: 8081 }, 500);
  assert.deepEqual(
    publications.list().map(({ service }) => service.port),
    [8080],
  );
});

test("a node that the registry lost gets its publications back, through warming; one that was draining is gone", async () => {
  const catalog = { ...orders, interface: "shop.Catalog", port: 8081 };
  await publications.publish(orders, undefined);
  await publications.publish(catalog, undefined);
  registry.next.push(refusal(504, "FL_NOT_CONVERGED"));
  await assert.rejects(publications.withdraw(catalog, 100), isCode("FL_NOT_CONVERGED"));
  registry.calls.splice(0);
  registry.next.push(away());
  publications.restore();
  await tick(600);
  assert.deepEqual(registry.calls, ["pub shop.Orders:8080 warming", "pub shop.Orders:8080 warming", "state ready"]);
  assert.deepEqual(statuses(), ["shop.Orders ready"]);
});

test("withdrawing all is bounded, and tells what is left", async () => {
  await publications.publish(orders, undefined);
  await publications.publish({ ...orders, interface: "shop.Catalog", port: 8081 }, undefined);
  registry.next.push(new Promise(() => undefined));
  const left = publications.withdrawAll(1000);
  await tick(2000);
  assert.deepEqual(
    (await left).map(({ service }) => service.interface),
    ["shop.Orders"],
  );
});

test("the number of publications is limited", async () => {
  for (let port = 1; port <= 1000; port += 1) await publications.publish({ ...orders, port }, undefined);
  await assert.rejects(publications.publish({ ...orders, port: 1001 }, undefined), isCode("FL_TOO_MANY_REGISTRATIONS"));
});

test("a restarted sidecar goes on with what the registry has of its node", async () => {
  const [ready, warming, draining] = ["shop.A", "shop.B", "shop.C"].map((name, index) => ({
    ...orders,
    interface: name,
    port: 8081 + index,
  }));
  assert.ok(ready !== undefined && warming !== undefined && draining !== undefined);
  await publications.publish(orders, undefined);
  registry.calls.splice(0);
  publications.adopt([
    { service: { ...orders, weight: 1 }, state: "warming" },
    { service: ready, state: "ready" },
    { service: warming, state: "warming" },
    { service: draining, state: "draining" },
  ]);
  await tick(0);
  assert.deepEqual(statuses(), ["shop.Orders ready", "shop.A ready", "shop.B ready"]);
  assert.equal(publications.list()[0]?.service.weight, 100, "what was published meanwhile is newer");
  assert.ok(!registry.calls.some((call) => call.includes("shop.A")));
  await publications.withdraw(ready, 1000);
  assert.ok(registry.calls.includes("unpub shop.A"));
});
