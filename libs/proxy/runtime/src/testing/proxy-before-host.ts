import { TestProxy } from "./proxy.ts";
import { RecordingHost } from "./recording-host.ts";
import { listener, routes, staticCluster, toCluster } from "./resources.ts";

/** A proxy that adds no request ids, before a host that keeps each byte it gets. */
export class ProxyBeforeHost implements AsyncDisposable {
  readonly host: RecordingHost;
  readonly proxy: TestProxy;

  private constructor(host: RecordingHost, proxy: TestProxy) {
    this.host = host;
    this.proxy = proxy;
  }

  /** @param rules by which the host reads requests */
  static async start(rules: "strict" | "lenient"): Promise<ProxyBeforeHost> {
    const host = await RecordingHost.start(rules);
    const proxy = await TestProxy.start({
      clusters: [staticCluster("a", [host.port])],
      listeners: [listener("in", 0, { generateRequestId: false })],
      routes: [routes("in", toCluster("*", "a"))],
    });
    return new ProxyBeforeHost(host, proxy);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.proxy[Symbol.asyncDispose]();
    await this.host[Symbol.asyncDispose]();
  }
}
