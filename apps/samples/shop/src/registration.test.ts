import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, test } from "node:test";
import { Registration, RegistrationRefused } from "./registration.ts";

interface Received {
  readonly url: string;
  readonly body: unknown;
}
const received: Received[] = [];
let answers: { status: number; body: object }[] = [];
const sidecar = createServer((request, response) => {
  let text = "";
  request.on("data", (bytes: Buffer) => (text += bytes.toString()));
  request.on("end", () => {
    received.push({ url: request.url ?? "", body: JSON.parse(text) });
    const { status, body } = answers.shift() ?? {
      status: 200,
      body: { err_no: 0, err_msg: "publish success", revision: 7 },
    };
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  });
});
await new Promise<void>((resolve) => sidecar.listen(0, "127.0.0.1", resolve));
const sidecarApi = new URL(`http://127.0.0.1:${(sidecar.address() as AddressInfo).port}`);
const logged: string[] = [];
const registration = new Registration({ sidecarApi, log: (message) => logged.push(message) });
const forever = new AbortController().signal;
after(() => sidecar.close());

test("publishes with its version as label, again until the sidecar takes it", async () => {
  answers = [
    {
      status: 503,
      body: { err_no: 1, err_msg: "no control plane", code: "FL_REGISTRY_UNREACHABLE", message: "no control plane" },
    },
    { status: 504, body: { err_no: 1, err_msg: "not converged", code: "FL_NOT_CONVERGED", message: "not converged" } },
  ];
  received.length = 0;
  await registration.publish({ name: "shop.Reviews", port: 8080 }, { version: "v2" }, forever);
  assert.equal(received.length, 3);
  assert.deepEqual(received[2], {
    url: "/pub?wait=converged&timeout=10s",
    body: { service: { interface: "shop.Reviews", protocol: "http", port: 8080, labels: { version: "v2" } } },
  });
  assert.deepEqual(logged, ["registration to be repeated", "registration to be repeated", "registration"]);
});

test("does not repeat what was refused", async () => {
  answers = [
    {
      status: 400,
      body: { err_no: 1, err_msg: "x", code: "FL_REQUEST_INVALID", message: "body.service.port: too big" },
    },
  ];
  await assert.rejects(registration.publish({ name: "shop.Reviews", port: 99_999 }, {}, forever), (error) => {
    assert.ok(error instanceof RegistrationRefused);
    assert.match(error.message, /400 FL_REQUEST_INVALID: body.service.port: too big/);
    return true;
  });
});

test("stops asking when told to stop", async () => {
  const nobody = new Registration({ sidecarApi: new URL("http://127.0.0.1:1"), log: () => undefined });
  const stopping = new AbortController();
  const asking = nobody.subscribe("shop.Catalog", stopping.signal);
  stopping.abort();
  await assert.rejects(asking);
});

test("withdraws once, waiting for the callers", async () => {
  received.length = 0;
  await registration.withdraw({ name: "shop.Reviews", port: 8080 }, 3000);
  assert.deepEqual(received, [
    {
      url: "/unpub?wait=converged&timeout=3000ms",
      body: { service: { interface: "shop.Reviews", protocol: "http", port: 8080 } },
    },
  ]);
});
