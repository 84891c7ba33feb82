import type { ShopService } from "../shop-service.ts";

/** The page that a visitor asks for: made of what the other services answer. */
export const storefront: ShopService = {
  interface: "shop.Storefront",
  calls: ["shop.Catalog", "shop.Reviews", "shop.Orders"],
  rpcCalls: new Map([
    ["shop.Prices", "dubbo"],
    ["shop.Stock", "bolt"],
  ]),
  async answer(path, servedBy, call, rpcCall) {
    if (path !== "/") return undefined;
    const [catalog, reviews, orders, price, stock] = await Promise.all([
      call("shop.Catalog", "/items"),
      call("shop.Reviews", "/reviews"),
      call("shop.Orders", "/orders/1001"),
      rpcCall?.("shop.Prices", "priceOf", ["rope-12"]),
      rpcCall?.("shop.Stock", "piecesOf", ["rope-12"]),
    ]);
    return { servedBy, catalog, reviews, orders, ...(rpcCall === undefined ? {} : { price, stock }) };
  },
};
