import { networkInterfaces } from "node:os";
import { fromBinary } from "@bufbuild/protobuf";
import { OriginalDstSchema } from "@fairlead/envoy-api/envoy/extensions/filters/listener/original_dst/v3/original_dst_pb.js";
import { type ListenerFilter, registerListenerFilter } from "@fairlead/proxy-filter";
import { refuseOthers } from "../translate/rejection.ts";

/**
 * Where a connection was going before it was sent here. Node cannot ask the kernel (SO_ORIGINAL_DST), so that this is the local
 * address of the connection: with TPROXY it is the original one; with REDIRECT it is the proxy's own, and nothing is restored.
 */
export function originalDst(isOwn: (address: string) => boolean = isOwnAddress): ListenerFilter {
  return {
    maxBytes: 0,
    look(_bytes, facts) {
      facts.localRestored ||= facts.localPort !== facts.listenerPort || !isOwn(facts.localAddress);
      return 0;
    },
  };
}

function isOwnAddress(address: string): boolean {
  if (address.startsWith("127.") || address === "::1") return true;
  return Object.values(networkInterfaces()).some((found) => found?.some((one) => one.address === address) === true);
}

registerListenerFilter(`type.googleapis.com/${OriginalDstSchema.typeName}`, (config, where) => {
  refuseOthers(OriginalDstSchema, fromBinary(OriginalDstSchema, config), where, []);
  return originalDst();
});
