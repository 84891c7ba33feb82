import { MeshCaller } from "./mesh-caller.ts";
import type { Registration } from "./registration.ts";
import { RpcCaller } from "./rpc/rpc-caller.ts";
import type { Settings } from "./settings.ts";
import { ShopServer } from "./shop-server.ts";
import type { ShopService } from "./shop-service.ts";

/** One instance of a service, from its first port to its end. */
export interface Instance {
  /** What it listens on, for the log. */
  readonly listening: object;
  /** Resolves when callers are sent here. */
  publish(signal: AbortSignal): Promise<void>;
  /** Resolves when none are sent here any more. */
  withdraw(timeoutMs: number): Promise<void>;
  /** Resolves when what was under way is answered. */
  close(): Promise<void>;
}

/** Starts an instance of an HTTP service. */
export async function startHttpInstance(
  service: ShopService,
  settings: Settings,
  registration: Registration,
): Promise<Instance> {
  const { instance, version, outboundRpc } = settings;
  const servedBy = { instance, version };
  const caller = new MeshCaller(settings.outbound);
  const rpcCallers = new Map(
    outboundRpc === undefined
      ? []
      : [...(service.rpcCalls ?? [])].map(([name, protocol]) => [name, new RpcCaller(protocol, outboundRpc)] as const),
  );
  const server = new ShopServer(servedBy, async (path, trace) => {
    if (outboundRpc === undefined) return await service.answer(path, servedBy, caller.inTrace(trace));
    return await service.answer(path, servedBy, caller.inTrace(trace), async (name, method, args) => {
      return await rpcCallers.get(name)!.call(name, method, args, trace);
    });
  });
  const port = await server.listen(settings.bind, settings.port);
  const served = { name: service.interface, port };
  return {
    listening: { service: service.interface, port, version },
    async publish(signal) {
      for (const called of service.calls) await registration.subscribe(called, signal);
      for (const called of rpcCallers.keys()) {
        await registration.subscribe(called, signal, service.rpcCalls!.get(called));
      }
      await registration.publish(served, { version }, signal);
      server.published = true;
    },
    withdraw: async (timeoutMs) => await registration.withdraw(served, timeoutMs),
    async close() {
      await server.close();
      caller.close();
      for (const rpcCaller of rpcCallers.values()) rpcCaller.close();
    },
  };
}
