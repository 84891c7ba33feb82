/** Who reads the routes: proxies, or proxyless gRPC clients, which know less and read some of it elsewhere. */
export type Audience = "proxies" | "grpcClients";
