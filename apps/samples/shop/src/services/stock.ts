import type { RpcShopService } from "../rpc/rpc-service.ts";

const pieces = new Map([
  ["rope-12", 120],
  ["cleat-6", 8],
]);

/** How many there are, over bolt. */
export const stock: RpcShopService = {
  interface: "shop.Stock",
  protocol: "bolt",
  methods: { piecesOf: ([sku]) => ({ sku, pieces: pieces.get(String(sku)) ?? 0 }) },
};
