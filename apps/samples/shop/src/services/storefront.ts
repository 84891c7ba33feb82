import type { ShopService } from "../shop-service.ts";

/** The page that a visitor asks for: made of what the other services answer. */
export const storefront: ShopService = {
  interface: "shop.Storefront",
  calls: ["shop.Catalog", "shop.Reviews", "shop.Orders"],
  async answer(path, servedBy, call) {
    if (path !== "/") return undefined;
    const [catalog, reviews, orders] = await Promise.all([
      call("shop.Catalog", "/items"),
      call("shop.Reviews", "/reviews"),
      call("shop.Orders", "/orders/1001"),
    ]);
    return { servedBy, catalog, reviews, orders };
  },
};
