import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { bindAddress, defineConfig, durationMs, loadTogether, port, storeProcessConfig } from "./index.ts";

const definition = defineConfig("example", {
  httpPort: port().default(13300).describe("Where it listens."),
  bind: bindAddress().describe("The address."),
  leaseTtl: durationMs().prefault("30s").describe("How long."),
  databaseUrl: z.string().describe("No default."),
});

test("reads FAIRLEAD_* variables, with defaults and units", () => {
  const config = definition.load({ FAIRLEAD_DATABASE_URL: "postgres://x", FAIRLEAD_HTTP_PORT: "8", FAIRLEAD_BIND: "" });
  assert.deepEqual(config, { httpPort: 8, bind: "127.0.0.1", leaseTtl: 30_000, databaseUrl: "postgres://x" });
});

test("names every variable that is wrong", () => {
  assert.throws(
    () => definition.load({ FAIRLEAD_HTTP_PORT: "70000", FAIRLEAD_LEASE_TTL: "soon" }),
    (error: Error) => {
      assert.match(error.message, /FAIRLEAD_HTTP_PORT: .*70000/);
      assert.match(error.message, /FAIRLEAD_LEASE_TTL: expected a number with a unit/);
      assert.match(error.message, /FAIRLEAD_DATABASE_URL is not set and has no default$/);
      return true;
    },
  );
});

test("an app's settings and its process's are checked together", () => {
  const ofProcess = storeProcessConfig("example");
  const wrong = { FAIRLEAD_HTTP_PORT: "70000", FAIRLEAD_OTLP_ENDPOINT: "x" };
  assert.throws(
    () => loadTogether(definition, ofProcess, wrong),
    (error: Error) => {
      assert.match(error.message, /^example cannot start: FAIRLEAD_HTTP_PORT: /);
      for (const variable of ["DATABASE_URL is not set", "NATS_URL is not set", "OTLP_ENDPOINT: "]) {
        assert.match(error.message, new RegExp(`FAIRLEAD_${variable}`));
      }
      return true;
    },
  );
  const right = { FAIRLEAD_DATABASE_URL: "postgres://x", FAIRLEAD_NATS_URL: "nats://x" };
  const [config, process_] = loadTogether(definition, ofProcess, right);
  assert.deepEqual([config.httpPort, process_.natsUrl], [13300, "nats://x"]);
});

test("a wrong URL is named without its login", () => {
  const urls = defineConfig("example", { otlpEndpoint: z.url({ protocol: /^http$/ }).describe("A URL.") });
  assert.throws(() => urls.load({ FAIRLEAD_OTLP_ENDPOINT: "ftp://me:secret@host" }), {
    message: /FAIRLEAD_OTLP_ENDPOINT: .*\(it is "ftp:\/\/\*\*\*@host"\)/,
  });
});

test("rows() gives the reference page its defaults and words", () => {
  assert.deepEqual(definition.rows()[0], {
    variable: "FAIRLEAD_HTTP_PORT",
    default: "13300",
    description: "Where it listens.",
  });
  assert.equal(definition.rows()[2]!.default, "30s");
});
