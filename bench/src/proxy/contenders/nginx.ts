import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ProxyCase, serviceName } from "../proxy-case.ts";
import { type Contender, type ContenderInput, idleEndpoints } from "./contender.ts";
import { versionOf } from "./version-of.ts";

function configOf(what: ProxyCase, input: ContenderInput): string {
  const { folder, port, certificate } = input;
  const grpc = what.client === "grpc";
  // It speaks HTTP/2 to gRPC servers only.
  const backendPort = grpc ? input.backendPort : input.http1BackendPort;
  const pass = grpc
    ? "grpc_pass grpc://b; grpc_next_upstream error timeout http_502 http_503;"
    : 'proxy_pass http://b; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host; proxy_next_upstream error timeout http_502 http_503;';
  const named = `${grpc ? "grpc" : "proxy"}_set_header`;
  const listen = `127.0.0.1:${port}${what.tls ? " ssl" : ""}${what.client === "http1" ? "" : " http2"}`;
  const servers = idleEndpoints(input.endpointsOfEach).map((it) => `server ${it.address}:${it.port};`);
  const more = Array.from(
    { length: input.moreClusters },
    (_none, i) =>
      ` upstream more-${i} { ${servers.join(" ")} keepalive 16; }\n server { listen ${listen}; server_name more-${i}; location / { proxy_pass http://more-${i}; } }`,
  );
  return `daemon off; master_process ${what.workers > 1 ? "on" : "off"}; worker_processes ${what.workers}; pid ${folder}/nginx.pid; error_log ${folder}/error.log crit;
user root; events { worker_connections 4096; }
http { access_log ${what.accessLog ? `${folder}/access.log combined buffer=64k flush=1s` : "off"};
 client_body_temp_path ${folder}/a; proxy_temp_path ${folder}/b; fastcgi_temp_path ${folder}/c; uwsgi_temp_path ${folder}/d; scgi_temp_path ${folder}/e;
 upstream b { server 127.0.0.1:${backendPort}; keepalive 256; }
 keepalive_requests 100000000; http2_max_concurrent_streams 256; server_names_hash_max_size 4096;
${what.tls ? ` ssl_certificate ${certificate.chain}; ssl_certificate_key ${certificate.key}; ssl_protocols TLSv1.2 TLSv1.3;` : ""}
 server { listen ${listen}; server_name ${serviceName}; location / { ${pass} ${named} x-request-id $request_id; ${named} x-forwarded-proto $scheme; } }
${more.join("\n")}
}\n`;
}

const found = versionOf("nginx", ["-v"], /nginx\/([\d.]+)/);

export const nginx: Contender = {
  name: "nginx",
  ...found,
  ...(found.note === undefined ? {} : { note: `${found.note}; it speaks HTTP/1.1 to the backend of HTTP/2's case` }),
  takes: () => true,
  command: (what, input) => {
    const file = join(input.folder, "nginx.conf");
    writeFileSync(file, configOf(what, input));
    return ["nginx", "-c", file, "-p", input.folder];
  },
};
