import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { create, type DescMessage, type MessageInitShape } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import {
  type AccessLog,
  type AccessLogFilterSchema,
  AccessLogSchema,
  ComparisonFilter_Op,
} from "@fairlead/envoy-api/envoy/config/accesslog/v3/accesslog_pb.js";
import { FileAccessLogSchema } from "@fairlead/envoy-api/envoy/extensions/access_loggers/file/v3/file_pb.js";
import { StdoutAccessLogSchema } from "@fairlead/envoy-api/envoy/extensions/access_loggers/stream/v3/stream_pb.js";
import { defaultAccessLog } from "../access-log/access-log.ts";
import { Backend } from "../testing/backend.ts";
import { call } from "../testing/client.ts";
import { TestProxy } from "../testing/proxy.ts";
import { listener, routes, staticCluster, toCluster } from "../testing/resources.ts";

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "fairlead-access-"));
});
after(async () => await rm(folder, { recursive: true }));

type FilterInit = NonNullable<MessageInitShape<typeof AccessLogFilterSchema>["filterSpecifier"]>;

function log<Desc extends DescMessage>(schema: Desc, init: MessageInitShape<Desc>, filter?: FilterInit): AccessLog {
  return create(AccessLogSchema, {
    configType: { case: "typedConfig", value: anyPack(schema, create(schema, init)) },
    ...(filter === undefined ? {} : { filter: { filterSpecifier: filter } }),
  });
}
const file = (path: string, format: string, filter?: FilterInit) =>
  log(FileAccessLogSchema, { path, accessLogFormat: { case: "format", value: format } }, filter);

/** The world with these logs; requests to the host `gone` find nobody. */
const world = (accessLog: readonly AccessLog[], backend: Backend) => ({
  clusters: [staticCluster("app", [backend.port]), staticCluster("gone", [1])],
  listeners: [listener("in", 0, { accessLog: [...accessLog] })],
  routes: [routes("in", toCluster("app", "app"), toCluster("gone", "gone"))],
});

test("a request is a line: of text, and of JSON with its types", async () => {
  await using backend = await Backend.named("app");
  const [text, json] = [join(folder, "text"), join(folder, "json")];
  const jsonFormat = {
    status: "%RESPONSE_CODE%",
    from: { cluster: "%UPSTREAM_CLUSTER%", took: "%DURATION%" },
    flags: "%RESPONSE_FLAGS%",
    why: "%UPSTREAM_TRANSPORT_FAILURE_REASON%",
  };
  const logs = [
    file(
      text,
      "%REQ(:METHOD)% %REQ(:PATH)% %RESPONSE_CODE% %RESPONSE_CODE_DETAILS% %BYTES_RECEIVED% %UPSTREAM_PROTOCOL% %UPSTREAM_HOST%\n",
    ),
    log(FileAccessLogSchema, {
      path: json,
      accessLogFormat: { case: "logFormat", value: { format: { case: "jsonFormat", value: jsonFormat } } },
    }),
  ];
  const proxy = await TestProxy.start(world(logs, backend));
  await call(proxy.port("in"), { method: "POST", path: "/a?b", headers: { host: "app" }, body: "12345" });
  await call(proxy.port("in"), { path: "/c", headers: { host: "gone" } });
  await proxy.runtime.close();
  assert.equal(proxy.stat("filesystem.write_buffered"), 4);
  const [first, second] = (await readFile(text, "utf8")).split("\n");
  assert.equal(first, `POST /a?b 200 via_upstream 5 HTTP/1.1 127.0.0.1:${backend.port}`);
  assert.match(second ?? "", /^GET \/c 503 upstream_reset_before_response_started\{.*\} 0 - 127\.0\.0\.1:1$/);
  const lines = (await readFile(json, "utf8"))
    .trim()
    .split("\n")
    .map((line): { from: { took: unknown } } => JSON.parse(line));
  assert.partialDeepStrictEqual(lines[0], { status: 200, from: { cluster: "app" }, flags: null, why: null });
  assert.equal(typeof lines[0]?.from.took, "number");
  assert.partialDeepStrictEqual(lines[1], { status: 503, flags: "UF" });
});

test("properties of JSON are sorted where that is wanted", async () => {
  await using backend = await Backend.named("app");
  const path = join(folder, "sorted");
  const value = {
    format: { case: "jsonFormat" as const, value: { b: { d: "1", c: "2" }, a: "%RESPONSE_CODE%" } },
    jsonFormatOptions: { sortProperties: true },
  };
  const logs = [log(FileAccessLogSchema, { path, accessLogFormat: { case: "logFormat", value } })];
  const proxy = await TestProxy.start(world(logs, backend));
  await call(proxy.port("in"), { headers: { host: "app" } });
  await proxy.runtime.close();
  assert.equal(await readFile(path, "utf8"), '{"a":200,"b":{"c":"2","d":"1"}}\n');
});

test("filters choose what is logged", async () => {
  await using backend = await Backend.named("app");
  const path = (name: string) => join(folder, name);
  const failed: FilterInit = {
    case: "statusCodeFilter",
    value: { comparison: { op: ComparisonFilter_Op.GE, value: { defaultValue: 500 } } },
  };
  const marked: FilterInit = {
    case: "headerFilter",
    value: { header: { name: "x-log", headerMatchSpecifier: { case: "exactMatch", value: "yes" } } },
  };
  const connectFailed: FilterInit = { case: "responseFlagFilter", value: { flags: ["UF"] } };
  const either: FilterInit = {
    case: "orFilter",
    value: { filters: [{ filterSpecifier: failed }, { filterSpecifier: marked }] },
  };
  const both: FilterInit = {
    case: "andFilter",
    value: { filters: [{ filterSpecifier: failed }, { filterSpecifier: marked }] },
  };
  const wanted = { failed, marked, connectFailed, either, both };
  const logs = Object.entries(wanted).map(([name, filter]) => file(path(name), "%REQ(:PATH)%\n", filter));
  const proxy = await TestProxy.start(world(logs, backend));
  await call(proxy.port("in"), { path: "/plain", headers: { host: "app" } });
  await call(proxy.port("in"), { path: "/marked", headers: { host: "app", "x-log": "yes" } });
  await call(proxy.port("in"), { path: "/failed", headers: { host: "gone" } });
  await proxy.runtime.close();
  const lines = async (name: string) => await readFile(path(name), "utf8").catch(() => "");
  assert.equal(await lines("failed"), "/failed\n");
  assert.equal(await lines("marked"), "/marked\n");
  assert.equal(await lines("connectFailed"), "/failed\n");
  assert.equal(await lines("either"), "/marked\n/failed\n");
  assert.equal(await lines("both"), "");
});

test("a log of the proxy's own is written for listeners that say nothing of it", async () => {
  await using backend = await Backend.named("app");
  const path = join(folder, "own");
  const proxy = await TestProxy.start(world([], backend), { accessLogs: [defaultAccessLog(path)] });
  await call(proxy.port("in"), { path: "/x", headers: { host: "nobody" } });
  await proxy.runtime.reopenLogs();
  assert.match(
    await readFile(path, "utf8"),
    /^\[.*\] "GET \/x HTTP\/1\.1" 404 NR 0 0 \d+ - "-" "-" "[0-9a-f-]{36}" "nobody" "-"\n$/,
  );
  await proxy.runtime.close();
});

test("what cannot be logged is refused by field", async () => {
  await using backend = await Backend.named("app");
  const reasonOf = async (accessLog: AccessLog) => {
    await using proxy = new TestProxy();
    const [rejection] = await proxy.apply(world([accessLog], backend));
    return rejection?.reason ?? "";
  };
  assert.match(
    await reasonOf(file(join(folder, "x"), "%NOBODY%")),
    /access_log\[0\]\.typed_config\.format: has a command operator/,
  );
  assert.match(await reasonOf(file("", "a")), /typed_config\.path: is empty/);
  const bare: FilterInit = { case: "responseFlagFilter", value: { flags: ["XX"] } };
  assert.match(
    await reasonOf(file(join(folder, "x"), "a", bare)),
    /filter\.response_flag_filter\.flags: XX is not a flag/,
  );
  assert.equal(await reasonOf(log(StdoutAccessLogSchema, {})), "");
});
