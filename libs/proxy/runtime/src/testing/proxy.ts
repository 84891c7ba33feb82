import { typeUrls } from "@fairlead/envoy-api";
import { ProxyRuntime } from "../proxy-runtime.ts";
import type { ProxyRuntimeOptions, RuntimeLogger } from "../runtime-options.ts";
import type { XdsRejection, XdsResource } from "../xds-resource.ts";

const silent: RuntimeLogger = { debug() {}, info() {}, warn() {}, error() {} };

/** What is applied, in the order in which a control plane sends it; what is left out is not sent. */
export interface World {
  readonly clusters?: readonly XdsResource[];
  readonly endpoints?: readonly XdsResource[];
  readonly listeners?: readonly XdsResource[];
  readonly routes?: readonly XdsResource[];
}

/** With certificates that come over SDS. */
export interface SecureWorld extends World {
  readonly secrets?: readonly XdsResource[];
}

export class TestProxy implements AsyncDisposable {
  readonly runtime: ProxyRuntime;

  constructor(options: Partial<ProxyRuntimeOptions> = {}) {
    this.runtime = new ProxyRuntime({ logger: silent, nodeId: "test", drainTimeoutMs: 2000, ...options });
  }

  static async start(world: SecureWorld, options: Partial<ProxyRuntimeOptions> = {}): Promise<TestProxy> {
    const proxy = new TestProxy(options);
    const rejections = await proxy.apply(world);
    if (rejections.length > 0) throw new Error(JSON.stringify(rejections));
    return proxy;
  }

  async apply(world: SecureWorld): Promise<XdsRejection[]> {
    const rejections: XdsRejection[] = [];
    const types = [
      [typeUrls.cluster, world.clusters],
      [typeUrls.endpoint, world.endpoints],
      [typeUrls.secret, world.secrets],
      [typeUrls.listener, world.listeners],
      [typeUrls.route, world.routes],
    ] as const;
    for (const [typeUrl, resources] of types) {
      if (resources !== undefined) rejections.push(...(await this.runtime.apply(typeUrl, resources)));
    }
    return rejections;
  }

  port(name: string): number {
    const status = this.runtime.listeners().find((listener) => listener.name === name && listener.state === "active");
    if (status === undefined) throw new Error(`${name} is not active`);
    return status.port;
  }

  stat(name: string): number {
    return this.runtime.stats().get(name) ?? 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.runtime.close();
  }
}
