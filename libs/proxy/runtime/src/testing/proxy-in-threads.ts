import { typeUrls } from "@fairlead/envoy-api";
import { createDataPlane } from "../create-data-plane.ts";
import type { DataPlane, DataPlaneOptions } from "../data-plane.ts";
import type { RuntimeLogger } from "../runtime-options.ts";
import type { XdsRejection } from "../xds-resource.ts";
import type { World } from "./proxy.ts";

/** A proxy with worker threads, and what it logged as a warning or error. */
export class ProxyInThreads implements AsyncDisposable {
  readonly dataPlane: DataPlane;
  readonly logged: string[] = [];

  constructor(options: Partial<DataPlaneOptions> = {}) {
    const note = (facts: object, message: string): void => void this.logged.push(`${message} ${JSON.stringify(facts)}`);
    const logger: RuntimeLogger = { debug() {}, info() {}, warn: note, error: note };
    this.dataPlane = createDataPlane({
      logger,
      nodeId: "test",
      drainTimeoutMs: 2000,
      concurrency: 2,
      // On a machine that others use, threads that only begin must not count as stuck: nobody would wait for their listeners.
      workerPatienceMs: 120_000,
      ...options,
    });
  }

  static async start(world: World, options: Partial<DataPlaneOptions> = {}): Promise<ProxyInThreads> {
    const proxy = new ProxyInThreads(options);
    const rejections = await proxy.apply(world);
    if (rejections.length > 0) throw new Error(JSON.stringify(rejections));
    return proxy;
  }

  async apply({ clusters, endpoints, listeners, routes }: World): Promise<XdsRejection[]> {
    const rejections: XdsRejection[] = [];
    const types = [
      [typeUrls.cluster, clusters],
      [typeUrls.endpoint, endpoints],
      [typeUrls.listener, listeners],
      [typeUrls.route, routes],
    ] as const;
    for (const [typeUrl, resources] of types) {
      if (resources !== undefined) rejections.push(...(await this.dataPlane.apply(typeUrl, resources)));
    }
    return rejections;
  }

  port(name: string): number {
    const status = this.dataPlane.listeners().find((listener) => listener.name === name);
    if (status?.state !== "active") throw new Error(`${name} is ${status?.state ?? "not there"}`);
    return status.port;
  }

  stat(name: string): number {
    return this.dataPlane.stats().get(name) ?? 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dataPlane.close();
  }
}
