import type { FuzzTarget } from "../fuzz-target.ts";

/** Loaded by name, so that the coverage of one is not begun with another's sources. */
export const fuzzTargets: Readonly<Record<string, () => Promise<FuzzTarget>>> = {
  http1: async () => (await import("./http1.ts")).http1Target,
  "http1-response": async () => (await import("./http1-response.ts")).http1ResponseTarget,
  http2: async () => (await import("./http2.ts")).http2Target,
  hpack: async () => (await import("./hpack.ts")).hpackTarget,
  bolt: async () => (await import("./bolt.ts")).boltTarget,
  dubbo: async () => (await import("./dubbo.ts")).dubboTarget,
  hessian: async () => (await import("./hessian.ts")).hessianTarget,
  "sofa-hessian": async () => (await import("./hessian.ts")).sofaHessianTarget,
  regex: async () => (await import("./regex.ts")).regexTarget,
  path: async () => (await import("./path.ts")).pathTarget,
  "client-hello": async () => (await import("./client-hello.ts")).clientHelloTarget,
  "proxy-header": async () => (await import("./proxy-header.ts")).proxyHeaderTarget,
};
