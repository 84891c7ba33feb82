import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createLogger } from "@fairlead/logging";
import { createHttpApi, type HttpApi } from "./index.ts";

let api: HttpApi;
let url: string;

before(async () => {
  api = await createHttpApi({
    name: "test",
    description: "",
    logger: createLogger({ service: "test", level: "silent" }),
    telemetry: { serveMetrics: (_request, response) => response.end() },
    readiness: () => ({ waitingFor: [] }),
  });
  url = `http://127.0.0.1:${await api.listen("127.0.0.1", 0)}`;
});
after(async () => await api.close());

test("a path that cannot be decoded is refused in the shape of all errors", async () => {
  const response = await fetch(`${url}/healthz/%zz`);
  const { code, action } = (await response.json()) as { code: string; action: string };
  assert.deepEqual([response.status, code], [400, "FL_REQUEST_MALFORMED"]);
  assert.notEqual(action, "");
});
