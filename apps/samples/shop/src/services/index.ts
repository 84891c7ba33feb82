import type { RpcShopService } from "../rpc/rpc-service.ts";
import type { ShopService } from "../shop-service.ts";
import { catalog } from "./catalog.ts";
import { orders } from "./orders.ts";
import { prices } from "./prices.ts";
import { reviewsService } from "./reviews.ts";
import { stock } from "./stock.ts";
import { storefront } from "./storefront.ts";

/** Those of HTTP, by the name on the command line. */
export const services: ReadonlyMap<string, ShopService> = new Map([
  ["storefront", storefront],
  ["catalog", catalog],
  ["reviews", reviewsService],
  ["orders", orders],
]);

/** Those of Dubbo and bolt. */
export const rpcServices: ReadonlyMap<string, RpcShopService> = new Map([
  ["prices", prices],
  ["stock", stock],
]);
