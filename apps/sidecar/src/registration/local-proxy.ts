import type { Protocol } from "@fairlead/model";
import type { ProxyRuntime } from "@fairlead/proxy-runtime";

/** What a publication needs of the proxy beside its application. */
export interface LocalProxy {
  /** Resolves when calls to the interface that arrive at the inbound listener reach this port. @throws the signal's reason */
  serves(
    service: { readonly interface: string; readonly port: number; readonly protocol: Protocol },
    signal: AbortSignal,
  ): Promise<void>;
  /** @returns true when the application at this port had no call for `quietMs` in a row, false at `timeoutMs` */
  whenIdle(port: number, wait: { readonly quietMs: number; readonly timeoutMs: number }): Promise<boolean>;
}

export const inboundListener = "inbound";

function inboundCluster(port: number): string {
  return `inbound|${port}`;
}

/** The proxy as the names in its configuration tell (docs/architecture.md, "What is compiled"). */
export class InboundOfRuntime implements LocalProxy {
  readonly #runtime: Pick<ProxyRuntime, "listeners" | "onListenersChanged" | "routeFor" | "whenIdle">;

  constructor(runtime: Pick<ProxyRuntime, "listeners" | "onListenersChanged" | "routeFor" | "whenIdle">) {
    this.#runtime = runtime;
  }

  async serves(
    service: { readonly interface: string; readonly port: number; readonly protocol: Protocol },
    signal: AbortSignal,
  ): Promise<void> {
    signal.throwIfAborted();
    const isServed = (): boolean =>
      this.#runtime.listeners().some(({ name, state }) => name === inboundListener && state === "active") &&
      this.#runtime
        .routeFor(
          inboundListener,
          service.interface,
          "/",
          isRpc(service.protocol) ? ["x-rpc-protocol", service.protocol] : [],
        )
        ?.clusters.includes(inboundCluster(service.port)) === true;
    if (isServed()) return;
    await new Promise<void>((resolve, reject) => {
      const end = (): void => {
        forget();
        signal.removeEventListener("abort", abort);
      };
      const abort = (): void => {
        end();
        reject(signal.reason);
      };
      const forget = this.#runtime.onListenersChanged(() => {
        if (!isServed()) return;
        end();
        resolve();
      });
      signal.addEventListener("abort", abort, { once: true });
    });
  }

  async whenIdle(port: number, wait: { readonly quietMs: number; readonly timeoutMs: number }): Promise<boolean> {
    return await this.#runtime.whenIdle(inboundCluster(port), wait);
  }
}

/** What the listener tells apart by its protocol: an interface may be there over several. */
function isRpc(protocol: Protocol): boolean {
  return protocol === "dubbo" || protocol === "bolt";
}
