import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { connect as connectTls } from "node:tls";
import { create, fromBinary } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { FileAccessLogSchema } from "@fairlead/envoy-api/envoy/extensions/access_loggers/file/v3/file_pb.js";
import { ListenerSchema } from "@fairlead/envoy-api/envoy/config/listener/v3/listener_pb.js";
import { DownstreamTlsContextSchema } from "@fairlead/envoy-api/envoy/extensions/transport_sockets/tls/v3/tls_pb.js";
import { until } from "@fairlead/testing-basics";
import { Backend } from "../testing/backend.ts";
import { Certificates } from "../testing/certificates.ts";
import { call, exchange } from "../testing/client.ts";
import { TestProxy } from "../testing/proxy.ts";
import { duration, type filterChains, listener, routes, staticCluster, toCluster } from "../testing/resources.ts";
import type { XdsResource } from "../xds-resource.ts";

const certificates = new Certificates();
const folder = mkdtempSync(join(tmpdir(), "listener-log-"));
after(() => {
  certificates[Symbol.dispose]();
  rmSync(folder, { recursive: true });
});
const server = certificates.issue("server", "DNS:shop.example");
const file = (filename: string) => ({ specifier: { case: "filename" as const, value: filename } });

const format = [
  "%ACCESS_LOG_TYPE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %FILTER_CHAIN_NAME% %CONNECTION_TERMINATION_DETAILS%",
  "%DOWNSTREAM_TRANSPORT_FAILURE_REASON% %DOWNSTREAM_TLS_VERSION% %DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
  "%CONNECTION_ID%\n",
].join(" ");

const logTo = (path: string, text: string) => {
  const log = create(FileAccessLogSchema, { path, accessLogFormat: { case: "format", value: text } });
  return [{ configType: { case: "typedConfig" as const, value: anyPack(FileAccessLogSchema, log) } }];
};

type ChainInit = Parameters<typeof filterChains>[1];

interface Logged {
  readonly port: number;
  /** The lines, when there are as many. */
  lines(count: number): Promise<string[]>;
  /** Of requests. */
  requests(): string;
  [Symbol.asyncDispose](): Promise<void>;
}

let files = 0;

async function logged(chain: ChainInit = {}): Promise<Logged> {
  const path = join(folder, String(files++));
  const backend = await Backend.named("b");
  const manager = { accessLog: logTo(`${path}.requests`, "%CONNECTION_ID%\n") };
  const [first] = fromBinary(ListenerSchema, listener("in", 0, manager).body).filterChains;
  const own: XdsResource = listener("in", 0, manager, {
    accessLog: logTo(path, format),
    filterChains: [{ filters: first?.filters ?? [], name: "only", ...chain }],
  });
  const proxy = await TestProxy.start({
    clusters: [staticCluster("a", [backend.port])],
    listeners: [own],
    routes: [routes("in", toCluster("*", "a"))],
  });
  const read = (): string => (existsSync(path) ? readFileSync(path, "utf8") : "");
  return {
    port: proxy.port("in"),
    async lines(count) {
      await until(`${count} lines`, () => read().split("\n").length > count);
      return read().trimEnd().split("\n");
    },
    requests: () => (existsSync(`${path}.requests`) ? readFileSync(`${path}.requests`, "utf8") : ""),
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]();
      await backend[Symbol.asyncDispose]();
    },
  };
}

test("a connection is a line when it has ended, whatever it was for", async () => {
  await using logs = await logged();
  assert.equal((await call(logs.port, { agent: false })).status, 200);
  const [line] = await logs.lines(1);
  assert.match(line ?? "", /^TcpConnectionEnd - - only - - - 127\.0\.0\.1 \d+$/);
});

test("one that no filter chain takes says so", async () => {
  const filterChainMatch = { destinationPort: 1 };
  await using logs = await logged({ filterChainMatch });
  await exchange(logs.port, "GET / HTTP/1.1\r\n\r\n").catch(() => undefined);
  const [line] = await logs.lines(1);
  assert.match(line ?? "", /^TcpConnectionEnd NR filter_chain_not_found - - - - 127\.0\.0\.1 \d+$/);
});

test("handshakes that fail have their reason, those that succeed what was agreed on", async () => {
  const context = create(DownstreamTlsContextSchema, {
    commonTlsContext: { tlsCertificates: [{ certificateChain: file(server.chain), privateKey: file(server.key) }] },
  });
  const value = anyPack(DownstreamTlsContextSchema, context);
  const transportSocket = { name: "tls", configType: { case: "typedConfig" as const, value } };
  await using logs = await logged({ transportSocket, transportSocketConnectTimeout: duration(100) });
  await exchange(logs.port, "GET / HTTP/1.1\r\n\r\n").catch(() => undefined);
  const [failed] = await logs.lines(1);
  assert.match(failed ?? "", /^TcpConnectionEnd - - only - \S*SSL_routines\S* - 127\.0\.0\.1 \d+$/);
  await new Promise((resolve) => connect(logs.port, "127.0.0.1").on("close", resolve).resume());
  const [, late] = await logs.lines(2);
  assert.match(late ?? "", /^TcpConnectionEnd - - only transport socket timeout was reached - - 127\.0\.0\.1 \d+$/);
  const secure = {
    host: "127.0.0.1",
    port: logs.port,
    ca: readFileSync(certificates.authority),
    servername: "shop.example",
  };
  await new Promise((resolve) => {
    const socket = connectTls(secure, () => socket.write("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
    socket.on("close", resolve).resume();
  });
  const [, , good] = await logs.lines(3);
  assert.match(good ?? "", /^TcpConnectionEnd - - only - - TLSv1\.3 127\.0\.0\.1 \d+$/);
  await until("the request's line", () => logs.requests() !== "");
  assert.equal(logs.requests().trim(), good?.split(" ").at(-1), "both name the connection alike");
});
