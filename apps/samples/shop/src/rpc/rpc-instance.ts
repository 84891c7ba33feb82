import { isIPv4 } from "node:net";
import { networkInterfaces } from "node:os";
import type { Instance } from "../instance.ts";
import type { Registration } from "../registration.ts";
import type { Settings } from "../settings.ts";
import { ShopServer } from "../shop-server.ts";
import { RpcServer } from "./rpc-server.ts";
import type { RpcShopService } from "./rpc-service.ts";
import { ZooKeeperProvider } from "./zookeeper-provider.ts";

/** What others reach this machine at, for an instance that listens on every address. */
function ownAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all.find(({ family, internal }) => family === "IPv4" && !internal)?.address ?? "127.0.0.1";
}

/**
 * Starts an instance of a Dubbo or bolt service, and beside it what answers /healthz and /readyz. It is published at its sidecar, or, with
 * SHOP_ZOOKEEPER, registers itself there as any Dubbo application does, and has no sidecar.
 */
export async function startRpcInstance(
  service: RpcShopService,
  settings: Settings,
  registration: Registration,
): Promise<Instance> {
  const { instance, version, zookeeper } = settings;
  const rpc = new RpcServer(service, { instance, version });
  const health = new ShopServer({ instance, version }, async () => undefined);
  const rpcPort = await rpc.listen(settings.bind, settings.rpcPort);
  const port = await health.listen(settings.bind, settings.port);
  const served = { name: service.interface, port: rpcPort, protocol: service.protocol };
  const provider =
    zookeeper === undefined
      ? undefined
      : new ZooKeeperProvider(zookeeper, {
          interface: service.interface,
          methods: Object.keys(service.methods),
          host: isIPv4(settings.bind) && settings.bind !== "0.0.0.0" ? settings.bind : ownAddress(),
          port: rpcPort,
          application: instance,
        });
  return {
    listening: { service: service.interface, port, rpcPort, version },
    async publish(signal) {
      if (provider === undefined) await registration.publish(served, { version }, signal);
      else await provider.register();
      health.published = true;
    },
    async withdraw(timeoutMs) {
      if (provider === undefined) await registration.withdraw(served, timeoutMs);
      else provider.close();
    },
    async close() {
      await rpc.close();
      await health.close();
    },
  };
}
