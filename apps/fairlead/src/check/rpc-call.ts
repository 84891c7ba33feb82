import { z } from "zod";
import { listAll } from "../registry/list-all.ts";
import type { MeshApp } from "../up/mesh-app.ts";
import { storefrontAnswer } from "../up/served-by.ts";
import { bridgeName } from "../up/zookeeper-installed.ts";
import { type Check, expectThat } from "./check.ts";

const instanceSchema = z.object({ nodeId: z.string(), interface: z.string(), protocol: z.string() });

async function statOf(app: MeshApp, name: string): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${app.ports.admin}/stats`, { signal: AbortSignal.timeout(5000) });
  const line = (await response.text()).split("\n").find((one) => one.startsWith(`${name}: `));
  return Number(line?.slice(name.length + 2) ?? 0);
}

interface RpcCallCheck {
  readonly protocol: "dubbo" | "bolt";
  readonly service: string;
  readonly part: "price" | "stock";
}

/** The storefront calls a service over another protocol than HTTP, through its sidecar's port for these. */
function rpcCall({ protocol, service, part }: RpcCallCheck): Check {
  return {
    name: `${protocol} call through sidecars`,
    async run({ mesh, caller }) {
      const storefront = mesh.app("storefront");
      const taken = async () => await statOf(storefront, "rpc.outbound_rpc.downstream_rq_2xx");
      const before = await taken();
      const answer = storefrontAnswer(await caller.get("shop.Storefront", "/"));
      const calls = (await taken()) - before;
      const instances = await listAll(mesh.registry, "instances", instanceSchema);
      const registered = instances.find((one) => one.interface === service && one.protocol === protocol)?.nodeId ?? "";
      const onlyOutside = part === "price" && mesh.zooKeeper !== undefined;
      const evidence = {
        sent: `GET shop.Storefront/, whose page has a part of ${service}, over ${protocol} through :${storefront.ports.outboundRpc}`,
        received:
          `${JSON.stringify(answer?.[part] ?? "no page")}; ${calls} Dubbo and bolt calls answered to the storefront; ${service} ` +
          (onlyOutside
            ? `registered only in ZooKeeper, node ${registered}`
            : `published at its sidecar, node ${registered}`),
      };
      expectThat(answer !== undefined, evidence, "a page with all its parts");
      expectThat(calls === 2, evidence, "the page's two calls to go through the sidecar");
      expectThat(
        registered.startsWith(`registry~${bridgeName}~`) === onlyOutside && registered !== "",
        evidence,
        onlyOutside ? "the instance to come from ZooKeeper" : "the instance to be published at a sidecar",
      );
      return evidence;
    },
  };
}

export const dubboCall = rpcCall({ protocol: "dubbo", service: "shop.Prices", part: "price" });
export const boltCall = rpcCall({ protocol: "bolt", service: "shop.Stock", part: "stock" });
