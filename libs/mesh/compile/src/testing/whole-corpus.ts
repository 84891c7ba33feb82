import { headerCommands } from "@fairlead/policy";
import { policy } from "./mesh-under-test.ts";

/** Every command that a header value may hold. */
const commands = [...headerCommands.map((command) => `%${command}%`), "%REQ(:path):9%", "%RESP(x-a?x-b)%", "100%%"];
const commandHeaders = `{${commands.map((value, index) => `x-c${index}: '${value}'`).join(", ")}}`;

const to = "route: [{destination: {host: shop.A}}]";

/** Routes with every field that one may have. */
const http = [
  `match: [{uri: {exact: /X}, ignoreUriCase: true, scheme: {exact: https}, method: {regex: 'G.*'}, authority: {prefix: a}, port: 80, headers: {x-b: {}, x-c: {regex: 'a+'}}, withoutHeaders: {x-d: {exact: c}, x-e: {}}, queryParams: {q: {}, r: {exact: s}, t: {regex: 'u*'}}, statPrefix: sp}], ${to}, timeout: 1s`,
  `match: [{uri: {regex: '/r.*'}}], ${to}, rewrite: {uri: /b}`,
  `match: [{uri: {prefix: /a.b}}], ${to}, rewrite: {uri: /}`,
  `match: [{uri: {prefix: /A.b}, ignoreUriCase: true}], ${to}, rewrite: {uri: /}`,
  `${to}, rewrite: {uriRegexRewrite: {match: '^/a/(.*)$', rewrite: '/b/\\1'}, authority: z}`,
  `route: [{destination: {host: shop.A, subset: v1}, weight: 9, headers: {request: {set: {':authority': h, x: y}}, response: {remove: [q]}}}, {destination: {host: shop.B}, weight: 1}], retries: {attempts: 3, perTryTimeout: 1s, retryOn: '503,gateway-error,reset', retryRemoteLocalities: true, backoff: 50ms}`,
  `${to}, retries: {attempts: 0}`,
  `${to}, fault: {delay: {fixedDelay: 1s, percentage: {value: 0.1}}, abort: {grpcStatus: UNAVAILABLE}}, corsPolicy: {allowOrigins: [{exact: a}, {regex: 'b.*'}, {prefix: c}], allowMethods: [GET], allowHeaders: ['*'], exposeHeaders: [x], maxAge: 1h, allowCredentials: true, unmatchedPreflights: FORWARD}, mirrors: [{destination: {host: shop.B}, percentage: {value: 10}}, {destination: {host: shop.A}}], headers: {request: {set: {a: '', b: '%START_TIME%', c: '100%%'}, add: {d: e}, remove: [f]}, response: {set: {g: h}, add: {i: j}, remove: [k]}}`,
  `${to}, headers: {request: {set: ${commandHeaders}}, response: {add: ${commandHeaders}}}`,
  "redirect: {uri: /y, authority: z, port: 8443, scheme: https, redirectCode: 308}",
  "redirect: {uri: '%PREFIX()%/y'}",
  "redirect: {authority: q, derivePort: FROM_PROTOCOL_DEFAULT}",
  `directResponse: {status: 200, body: {string: ${"x".repeat(5000)}}}`,
  "directResponse: {status: 200, body: {bytes: AAE=}}",
];
/** Every setting of a traffic policy. @param folder of the certificates */
const trafficPolicies = (folder: string) => [
  "loadBalancer: {simple: LEAST_REQUEST, warmup: {duration: 30s, minimumPercent: 5, aggression: 2}}",
  "loadBalancer: {simple: RANDOM}, outlierDetection: {consecutive5xxErrors: 7, consecutiveGatewayErrors: 0, interval: 5m, baseEjectionTime: 15m, maxEjectionPercent: 50, minHealthPercent: 40, splitExternalLocalOriginErrors: true, consecutiveLocalOriginFailures: 4}",
  "loadBalancer: {consistentHash: {httpHeaderName: x, ringHash: {minimumRingSize: 64}}}",
  "loadBalancer: {consistentHash: {httpCookie: {name: c, path: /, ttl: 1h, attributes: [{name: SameSite, value: Strict}]}, maglev: {tableSize: 251}}}",
  "loadBalancer: {consistentHash: {useSourceIp: true}}",
  "loadBalancer: {consistentHash: {httpQueryParameterName: q}}",
  "loadBalancer: {warmupDurationSecs: 10s}, retryBudget: {percent: 25, minRetryConcurrency: 5}",
  "outlierDetection: {}, loadBalancer: {localityLbSetting: {failover: [{from: r1, to: r2}]}}",
  "outlierDetection: {}, loadBalancer: {simple: LEAST_REQUEST, localityLbSetting: {failoverPriority: [app, 'tier=a']}}",
  "loadBalancer: {consistentHash: {httpHeaderName: x}, localityLbSetting: {distribute: [{from: 'r1/*', to: {r1/z1: 70, r2: 30}}]}}",
  "connectionPool: {tcp: {maxConnections: 7, connectTimeout: 30ms, maxConnectionDuration: 5m, idleTimeout: 3s, tcpKeepalive: {probes: 3, time: 7200s, interval: 75s}}, http: {http1MaxPendingRequests: 8, http2MaxRequests: 9, maxRetries: 3, maxRequestsPerConnection: 1, idleTimeout: 10s}}",
  "connectionPool: {http: {h2UpgradePolicy: UPGRADE, maxConcurrentStreams: 10}}",
  "connectionPool: {http: {useClientProtocol: true, maxConcurrentStreams: 10}}",
  `tls: {mode: SIMPLE, sni: a.com, caCertificates: ${folder}/c.pem}`,
  `tls: {mode: MUTUAL, clientCertificate: ${folder}/c.pem, privateKey: ${folder}/k.pem, subjectAltNames: ['spiffe://a/b', '10.0.0.1']}`,
  "tls: {mode: SIMPLE, insecureSkipVerify: true}",
];
/**
 * Policies that between them use every field that is implemented.
 *
 * @param folder has `c.pem` and `k.pem`, a certificate and its key
 */
export function wholeCorpus(folder: string): { readonly policies: string; readonly services: readonly string[] } {
  const files = `serverCertificate: ${folder}/c.pem, privateKey: ${folder}/k.pem`;
  const traffic = trafficPolicies(folder);
  const services = ["shop.A", "shop.B", "grpc/shop.G", "http2/shop.H", ...traffic.map((_, i) => `svc.t${i}`)];
  let text = policy(
    "VirtualService",
    "vs",
    `{hosts: [shop.A, shop.B], http: [${http.map((h) => `{${h}}`).join(", ")}]}`,
  );
  text += policy("DestinationRule", "dr", "{host: shop.A, subsets: [{name: v1}]}");
  traffic.forEach((t, i) => (text += policy("DestinationRule", `t${i}`, `{host: svc.t${i}, trafficPolicy: {${t}}}`)));
  ["RANDOM", "LEAST_REQUEST"].forEach((simple, i) => {
    const weights = "localityLbSetting: {failover: []}";
    text += policy(
      "DestinationRule",
      `g${i}`,
      `{host: ${i === 0 ? "shop.G" : "shop.H"}, subsets: [{name: m, trafficPolicy: {loadBalancer: {consistentHash: {useSourceIp: true, maglev: {tableSize: 251}}, ${weights}}}}], trafficPolicy: {outlierDetection: {}, loadBalancer: {simple: ${simple}, ${weights}}}}`,
    );
  });
  text += policy(
    "ServiceEntry",
    "s1",
    "{hosts: [a.example], ports: [{number: 80, name: a, protocol: HTTP, targetPort: 443}, {number: 8080, name: c, protocol: HTTP2}, {number: 443, name: b, protocol: HTTPS}], resolution: DNS}",
  );
  text += policy(
    "DestinationRule",
    "s1",
    "{host: a.example, trafficPolicy: {portLevelSettings: [{port: {number: 80}, tls: {mode: SIMPLE}}]}}",
  );
  text += policy(
    "ServiceEntry",
    "s2",
    "{hosts: [b.example], ports: [{number: 80, name: a, protocol: HTTP}], resolution: NONE}",
  );
  text += policy(
    "ServiceEntry",
    "s3",
    "{hosts: ['*.c.example'], ports: [{number: 80, name: a, protocol: GRPC}], resolution: STATIC, endpoints: [{address: 10.0.0.1, locality: r/z}, {address: 10.0.0.2}]}",
  );
  text += policy(
    "ServiceEntry",
    "s4",
    "{hosts: [d.example], ports: [{number: 80, name: a, protocol: HTTP}], resolution: DNS_ROUND_ROBIN, endpoints: [{address: e.example}]}",
  );
  text += policy(
    "Gateway",
    "g",
    `{selector: {edge: a}, servers: [{port: {number: 8080, name: h, protocol: HTTP}, hosts: ['*']}, {port: {number: 8081, name: r, protocol: HTTP}, hosts: ['*'], tls: {httpsRedirect: true}}, {port: {number: 8443, name: s, protocol: HTTPS}, hosts: [a.com, '*.b.com'], tls: {mode: SIMPLE, ${files}, minProtocolVersion: TLSV1_2, maxProtocolVersion: TLSV1_3, cipherSuites: [ECDHE-RSA-AES128-GCM-SHA256]}}, {port: {number: 8443, name: m, protocol: HTTPS}, hosts: [c.com], tls: {mode: MUTUAL, ${files}, caCertificates: ${folder}/c.pem, subjectAltNames: [n]}}, {port: {number: 8443, name: p, protocol: TLS}, hosts: ['*.d.com'], tls: {mode: PASSTHROUGH}}, {port: {number: 8443, name: x, protocol: TLS}, hosts: [e.com], tls: {mode: OPTIONAL_MUTUAL, ${files}, caCertificates: ${folder}/c.pem}}, {port: {number: 8444, name: w, protocol: HTTPS}, hosts: ['*'], tls: {mode: SIMPLE, ${files}}}, {port: {number: 9000, name: t, protocol: TCP}, hosts: ['*'], bind: 127.0.0.1}]}`,
  );
  text += policy(
    "VirtualService",
    "gw",
    `{hosts: ['*'], gateways: [g], http: [{${http[0]}}, {${http[5]}}], tls: [{match: [{sniHosts: [x.d.com, y.d.com], destinationSubnets: [10.0.0.0/8]}, {sniHosts: [x.d.com]}], route: [{destination: {host: shop.A}, weight: 1}, {destination: {host: shop.B}, weight: 2}]}], tcp: [{match: [{port: 9000, destinationSubnets: [10.0.0.0/8]}], ${to}}, {match: [{port: 9000}, {port: 8443}], ${to}}]}`,
  );
  text += policy(
    "Sidecar",
    "sc",
    "{outboundTrafficPolicy: {}, ingress: [{port: {number: 8080}, defaultEndpoint: '[::1]:9', connectionPool: {tcp: {maxConnections: 3}}}]}",
  );
  return { policies: text, services };
}
