/**
 * Generates the protobuf code of libs/api from proto/fairlead (ours) and from the Envoy protos that
 * the npm package @grpc/grpc-js-xds ships. Output is ignored by git; `npm ci` runs this.
 *
 * Envoy: only the files reachable from `envoyRoots` are generated. 73 of the shipped files import
 * v2 files that are not shipped, so the tree cannot be built as a whole.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const repository = join(import.meta.dirname, "../..");
const require = createRequire(import.meta.url);
const xdsDeps = join(dirname(require.resolve("@grpc/grpc-js-xds/package.json")), "deps");
const importRoots = ["envoy-api", "xds", "googleapis", "protoc-gen-validate"].map((name) => join(xdsDeps, name));

const envoyRoots = [
  "envoy/service/discovery/v3/ads.proto",
  "envoy/service/cluster/v3/cds.proto",
  "envoy/service/endpoint/v3/eds.proto",
  "envoy/service/listener/v3/lds.proto",
  "envoy/service/route/v3/rds.proto",
  "envoy/service/status/v3/csds.proto",
  "envoy/config/bootstrap/v3/bootstrap.proto",
  "envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.proto",
  "envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy.proto",
  "envoy/extensions/filters/http/router/v3/router.proto",
  "envoy/extensions/filters/http/fault/v3/fault.proto",
  "envoy/extensions/filters/http/cors/v3/cors.proto",
  "envoy/extensions/upstreams/http/v3/http_protocol_options.proto",
  "envoy/extensions/retry/host/previous_hosts/v3/previous_hosts.proto",
];

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
    writeFileSync(join(target, file), source);
    for (const match of source.matchAll(/^import\s+(?:public\s+)?"([^"]+)";/gm)) queue.push(match[1]!);
  }
}

function bufGenerate(protoRoot: string, output: string): void {
  rmSync(output, { recursive: true, force: true });
  mkdirSync(output, { recursive: true });
  execFileSync(
    join(repository, "node_modules/.bin/buf"),
    ["generate", protoRoot, "--template", join(repository, "proto/buf.gen.yaml"), "--output", output],
    {
      stdio: "inherit",
      env: { ...process.env, PATH: `${join(repository, "node_modules/.bin")}:${process.env["PATH"] ?? ""}` },
    },
  );
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
