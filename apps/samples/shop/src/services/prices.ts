import type { RpcShopService } from "../rpc/rpc-service.ts";

const cents = new Map([
  ["rope-12", 4590],
  ["cleat-6", 1890],
  ["fender-3", 3250],
]);

/** What things cost, over Dubbo: it knows ZooKeeper, and nothing of the mesh. */
export const prices: RpcShopService = {
  interface: "shop.Prices",
  protocol: "dubbo",
  methods: {
    priceOf: ([sku]) => {
      const price = cents.get(String(sku));
      if (price === undefined) throw new Error(`there is no ${String(sku)}`);
      return { sku, cents: price };
    },
  },
};
