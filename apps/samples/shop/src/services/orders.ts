import type { ShopService } from "../shop-service.ts";

/** What was ordered. Looks each item up in the catalogue. */
export const orders: ShopService = {
  interface: "shop.Orders",
  calls: ["shop.Catalog"],
  async answer(path, servedBy, call) {
    if (path !== "/orders/1001") return undefined;
    const catalog = await call("shop.Catalog", "/items/rope-12", "proxy");
    return { servedBy, order: 1001, quantity: 2, catalog };
  },
};
