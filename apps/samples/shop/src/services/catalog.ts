import type { ShopService } from "../shop-service.ts";

const items = [
  { sku: "rope-12", name: "Mooring rope, 12 mm", priceCents: 4590 },
  { sku: "cleat-6", name: "Cleat, 6 inch", priceCents: 1890 },
  { sku: "fender-3", name: "Fender, size 3", priceCents: 3250 },
] as const;

/** What the shop sells. Calls nobody. */
export const catalog: ShopService = {
  interface: "shop.Catalog",
  calls: [],
  async answer(path, servedBy) {
    if (path === "/items") return { servedBy, items };
    const item = items.find(({ sku }) => path === `/items/${sku}`);
    return item === undefined ? undefined : { servedBy, item };
  },
};
