import type { ShopService } from "../shop-service.ts";
import { catalog } from "./catalog.ts";
import { orders } from "./orders.ts";
import { reviewsService } from "./reviews.ts";
import { storefront } from "./storefront.ts";

/** By the name on the command line. */
export const services: ReadonlyMap<string, ShopService> = new Map([
  ["storefront", storefront],
  ["catalog", catalog],
  ["reviews", reviewsService],
  ["orders", orders],
]);
