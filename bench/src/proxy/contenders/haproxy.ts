import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ProxyCase, serviceName } from "../proxy-case.ts";
import { type Contender, type ContenderInput, idleEndpoints } from "./contender.ts";
import { versionOf } from "./version-of.ts";

function configOf(what: ProxyCase, input: ContenderInput): string {
  const { folder, port, backendPort, certificate } = input;
  const tls = what.tls ? ` ssl crt ${join(folder, "both.pem")} alpn http/1.1` : "";
  const http2 = what.client !== "http1";
  const more = Array.from({ length: input.moreClusters }, (_none, i) => {
    const servers = idleEndpoints(input.endpointsOfEach).map((it, e) => ` server s${e} ${it.address}:${it.port}`);
    return [`backend more-${i}`, ...servers].join("\n");
  });
  if (what.tls)
    writeFileSync(
      join(folder, "both.pem"),
      readFileSync(certificate.chain, "utf8") + readFileSync(certificate.key, "utf8"),
    );
  return [
    `global\n nbthread ${what.workers}\n maxconn 4096`,
    what.accessLog ? " log stdout format raw local0 info" : "",
    "defaults\n mode http\n retries 2\n retry-on conn-failure empty-response 503\n option redispatch\n http-reuse always",
    what.accessLog ? " log global\n option httplog" : "",
    " timeout connect 5s\n timeout client 60s\n timeout server 60s",
    `frontend f\n bind 127.0.0.1:${port}${tls}${http2 ? " proto h2" : ""}`,
    " unique-id-format %[uuid()]\n unique-id-header x-request-id",
    ` http-request set-header x-forwarded-proto ${what.tls ? "https" : "http"}`,
    ` use_backend b if { hdr(host) -i ${serviceName} }`,
    ...Array.from({ length: input.moreClusters }, (_none, i) => ` use_backend more-${i} if { hdr(host) -i more-${i} }`),
    `backend b\n server s 127.0.0.1:${backendPort}${http2 ? " proto h2" : ""}`,
    ...more,
    "",
  ].join("\n");
}

export const haproxy: Contender = {
  name: "HAProxy",
  ...versionOf("haproxy", ["-v"], /version ([\d.]+)/),
  takes: () => true,
  command: (what, input) => {
    const file = join(input.folder, "haproxy.cfg");
    writeFileSync(file, configOf(what, input));
    return ["haproxy", "-db", "-f", file];
  },
  options: { output: "access.log" },
};
