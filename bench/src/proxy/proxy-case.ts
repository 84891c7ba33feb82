/** What is measured: who calls, how, and what the proxy does besides. */
export interface ProxyCase {
  readonly id: string;
  readonly title: string;
  /** What the client speaks; gRPC is unary calls over HTTP/2. */
  readonly client: "http1" | "http2" | "grpc";
  /** Ended by the proxy. */
  readonly tls: boolean;
  /** Of the answer; of gRPC's request too. */
  readonly bodyBytes: number;
  readonly connections: number;
  /** Requests under way on each connection. */
  readonly outstanding: number;
  /** Threads of the proxy that serve. */
  readonly workers: number;
  /** An access log to a file. */
  readonly accessLog: boolean;
}

const plain: Omit<ProxyCase, "id" | "title" | "bodyBytes"> = {
  client: "http1",
  tls: false,
  connections: 32,
  outstanding: 1,
  workers: 1,
  accessLog: false,
};

export const proxyCases: readonly ProxyCase[] = [
  { ...plain, id: "http1-64", title: "HTTP/1.1, 64 bytes", bodyBytes: 64 },
  { ...plain, id: "http1-1k", title: "HTTP/1.1, 1 KiB", bodyBytes: 1024 },
  { ...plain, id: "http1-16k", title: "HTTP/1.1, 16 KiB", bodyBytes: 16_384 },
  { ...plain, id: "user", title: "HTTP/1.1, 1 KiB, access log to a file", bodyBytes: 1024, accessLog: true },
  { ...plain, id: "workers", title: "HTTP/1.1, 1 KiB, 2 workers", bodyBytes: 1024, workers: 2 },
  { ...plain, id: "tls", title: "TLS ended, HTTP/1.1, 1 KiB", bodyBytes: 1024, tls: true },
  { ...plain, id: "http2", title: "HTTP/2, 1 KiB, 100 streams a connection", client: "http2", bodyBytes: 1024, connections: 2, outstanding: 100 }, // prettier-ignore
  { ...plain, id: "grpc", title: "gRPC unary, 64 bytes, 100 streams a connection", client: "grpc", bodyBytes: 64, connections: 2, outstanding: 100 }, // prettier-ignore
];

/** The service that all proxies route to, by its name in the Host. */
export const serviceName = "bench.Service";
