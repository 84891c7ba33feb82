import type { ShopService } from "../shop-service.ts";

const reviews = [
  { sku: "rope-12", text: "Holds in a gale.", stars: 5 },
  { sku: "cleat-6", text: "The screws are too short.", stars: 3 },
] as const;

/** What buyers say. Version v1 has words only; any other version has stars too. */
export const reviewsService: ShopService = {
  interface: "shop.Reviews",
  calls: [],
  async answer(path, servedBy) {
    if (path !== "/reviews") return undefined;
    if (servedBy.version === "v1") return { servedBy, reviews: reviews.map(({ sku, text }) => ({ sku, text })) };
    return { servedBy, reviews };
  },
};
