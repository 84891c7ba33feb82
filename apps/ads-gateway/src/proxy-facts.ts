import type { Node } from "@fairlead/envoy-api/envoy/config/core/v3/base_pb.js";
import { FairleadError } from "@fairlead/errors";
import { isValidNodeId, nodeIdRule } from "@fairlead/model";
import type { PeerIdentity } from "./authenticate.ts";

export interface ProxyFacts {
  readonly nodeId: string;
  /** The node's cluster: the application beside it. */
  readonly app: string;
  readonly userAgent: string;
}

const maxTextLength = 255;

/** @param node of the first request of a stream @throws FairleadError FL_NODE_ID_INVALID, FL_XDS_NOT_PERMITTED */
export function proxyFacts(node: Node | undefined, identity: PeerIdentity): ProxyFacts {
  const nodeId = node?.id ?? "";
  if (!isValidNodeId(nodeId)) {
    const shown = JSON.stringify(nodeId.slice(0, 100));
    throw new FairleadError(
      "FL_NODE_ID_INVALID",
      `the first request has the node id ${shown}; it must be ${nodeIdRule}`,
    );
  }
  if (!identity.mayBe(nodeId)) {
    throw new FairleadError("FL_XDS_NOT_PERMITTED", `the peer may not be the node ${nodeId}`, { facts: { nodeId } });
  }
  const version = node?.userAgentVersionType.case === "userAgentVersion" ? ` ${node.userAgentVersionType.value}` : "";
  const userAgent = `${node?.userAgentName ?? ""}${version}`.trim().slice(0, maxTextLength);
  return { nodeId, app: (node?.cluster ?? "").slice(0, maxTextLength), userAgent };
}
