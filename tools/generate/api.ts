/**
 * Generates the protobuf code of libs/api from proto/fairlead (ours) and from the Envoy protos that
 * the npm package @grpc/grpc-js-xds ships. Output is ignored by git; `npm ci` runs this.
 *
 * Envoy: only the files reachable from `envoyRoots` are generated. 73 of the shipped files import
 * v2 files that are not shipped, so the tree cannot be built as a whole.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { readCommandLine } from "@fairlead/lifecycle";

readCommandLine({ usage: "node tools/generate/api.ts\nWrites libs/api/*/gen." });
const repository = join(import.meta.dirname, "../..");
const require = createRequire(import.meta.url);
const xdsDeps = join(dirname(require.resolve("@grpc/grpc-js-xds/package.json")), "deps");
const importRoots = ["envoy-api", "xds", "googleapis", "protoc-gen-validate"].map((name) => join(xdsDeps, name));

const envoyRoots = [
  "envoy/admin/v3/certs.proto",
  "envoy/admin/v3/clusters.proto",
  "envoy/admin/v3/config_dump.proto",
  "envoy/admin/v3/listeners.proto",
  "envoy/service/discovery/v3/ads.proto",
  "envoy/service/cluster/v3/cds.proto",
  "envoy/service/endpoint/v3/eds.proto",
  "envoy/service/listener/v3/lds.proto",
  "envoy/service/route/v3/rds.proto",
  "envoy/service/secret/v3/sds.proto",
  "envoy/service/status/v3/csds.proto",
  "envoy/config/bootstrap/v3/bootstrap.proto",
  "envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.proto",
  "envoy/extensions/clusters/aggregate/v3/cluster.proto",
  "envoy/extensions/filters/network/connection_limit/v3/connection_limit.proto",
  "envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy.proto",
  "envoy/extensions/filters/network/dubbo_proxy/v3/dubbo_proxy.proto",
  "envoy/extensions/filters/network/dubbo_proxy/router/v3/router.proto",
  "envoy/extensions/filters/listener/http_inspector/v3/http_inspector.proto",
  "envoy/extensions/filters/listener/original_dst/v3/original_dst.proto",
  "envoy/extensions/filters/listener/proxy_protocol/v3/proxy_protocol.proto",
  "envoy/extensions/filters/listener/tls_inspector/v3/tls_inspector.proto",
  "envoy/extensions/filters/http/buffer/v3/buffer.proto",
  "envoy/extensions/filters/http/compressor/v3/compressor.proto",
  "envoy/extensions/filters/http/cors/v3/cors.proto",
  "envoy/extensions/filters/http/fault/v3/fault.proto",
  "envoy/extensions/filters/http/grpc_stats/v3/config.proto",
  "envoy/extensions/filters/http/header_mutation/v3/header_mutation.proto",
  "envoy/extensions/filters/http/health_check/v3/health_check.proto",
  "envoy/extensions/filters/http/local_ratelimit/v3/local_rate_limit.proto",
  "envoy/extensions/filters/http/router/v3/router.proto",
  "envoy/extensions/access_loggers/file/v3/file.proto",
  "envoy/extensions/access_loggers/stream/v3/stream.proto",
  "envoy/extensions/compression/gzip/compressor/v3/gzip.proto",
  "envoy/extensions/compression/brotli/compressor/v3/brotli.proto",
  "envoy/extensions/compression/zstd/compressor/v3/zstd.proto",
  "envoy/extensions/load_balancing_policies/least_request/v3/least_request.proto",
  "envoy/extensions/load_balancing_policies/maglev/v3/maglev.proto",
  "envoy/extensions/load_balancing_policies/random/v3/random.proto",
  "envoy/extensions/load_balancing_policies/ring_hash/v3/ring_hash.proto",
  "envoy/extensions/load_balancing_policies/round_robin/v3/round_robin.proto",
  "envoy/extensions/http/early_header_mutation/header_mutation/v3/header_mutation.proto",
  "envoy/extensions/retry/host/omit_host_metadata/v3/omit_host_metadata_config.proto",
  "envoy/extensions/retry/host/previous_hosts/v3/previous_hosts.proto",
  "envoy/extensions/retry/priority/previous_priorities/v3/previous_priorities_config.proto",
  "envoy/extensions/transport_sockets/proxy_protocol/v3/upstream_proxy_protocol.proto",
  "envoy/extensions/transport_sockets/raw_buffer/v3/raw_buffer.proto",
  "envoy/extensions/transport_sockets/tls/v3/tls.proto",
  "envoy/extensions/upstreams/http/v3/http_protocol_options.proto",
];

/** Fields of Envoy 1.36 that are newer than what is shipped: the message, and its fields. */
const newerFields: Readonly<Record<string, readonly [message: string, fields: string]>> = {
  "envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.proto": [
    "message HttpConnectionManager {",
    "google.protobuf.Duration stream_flush_timeout = 59;",
  ],
  "envoy/config/route/v3/route_components.proto": [
    "message RouteAction {",
    "google.protobuf.Duration flush_timeout = 42;",
  ],
};

function withNewerFields(file: string, source: string): string {
  const [message, fields] = newerFields[file] ?? [];
  if (message === undefined || fields === undefined) return source;
  const [name] = /\w+(?= = )/.exec(fields) ?? [];
  if (!source.includes(message)) throw new Error(`${file}: has no "${message}"`);
  return source.includes(` ${name} = `) ? source : source.replace(message, `${message}\n  ${fields}\n`);
}

/** Copies `roots` and all they import into `target`, keeping import paths; google/protobuf comes with the runtime. */
function copyClosure(roots: readonly string[], target: string): void {
  const seen = new Set<string>();
  const queue = [...roots];
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    if (seen.has(file) || file.startsWith("google/protobuf/")) continue;
    seen.add(file);
    const origin = importRoots.map((root) => join(root, file)).find((path) => existsSync(path));
    if (origin === undefined)
      throw new Error(`${file}: not shipped by @grpc/grpc-js-xds; looked in ${importRoots.join(", ")}`);
    mkdirSync(dirname(join(target, file)), { recursive: true });
    // The validate.proto that is shipped is older than the files that use it and lacks this option; it only concerns validators.
    const source = readFileSync(origin, "utf8").replaceAll(/\s*,?\s*\bignore_empty: true/g, "");
    writeFileSync(join(target, file), withNewerFields(file, source));
    for (const match of source.matchAll(/^import\s+(?:public\s+)?"([^"]+)";/gm)) queue.push(match[1]!);
  }
}

function bufGenerate(protoRoot: string, output: string): void {
  const fresh = `${output}.new`;
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(fresh, { recursive: true });
  execFileSync(
    join(repository, "node_modules/.bin/buf"),
    ["generate", protoRoot, "--template", join(repository, "proto/buf.gen.yaml"), "--output", fresh],
    {
      stdio: "inherit",
      env: { ...process.env, PATH: `${join(repository, "node_modules/.bin")}:${process.env["PATH"] ?? ""}` },
    },
  );
  rmSync(output, { recursive: true, force: true });
  renameSync(fresh, output);
}

bufGenerate(join(repository, "proto"), join(repository, "libs/api/fairlead/gen"));

const staging = mkdtempSync(join(tmpdir(), "fairlead-envoy-api-"));
try {
  copyClosure(envoyRoots, staging);
  writeFileSync(join(staging, "buf.yaml"), "version: v2\nmodules:\n  - path: .\n");
  bufGenerate(staging, join(repository, "libs/api/envoy/gen"));
} finally {
  rmSync(staging, { recursive: true, force: true });
}
