import { declareErrors } from "@fairlead/errors";

export const adsGatewayErrors = declareErrors("ads-gateway", {
  FL_GATEWAY_NOT_SYNCED: {
    httpStatus: 503,
    meaning:
      "The gateway has not read a first configuration from the bus yet, so it refuses proxies rather than empty them.",
    action:
      "Wait. If it lasts: is config-compiler running, and do both use the same bus? /readyz says what is waited for.",
  },
  FL_GATEWAY_FULL: {
    httpStatus: 503,
    meaning: "The gateway has as many ADS streams as it may.",
    action: "Add a gateway, or raise FAIRLEAD_MAX_STREAMS.",
  },
  FL_GATEWAY_BUSY: {
    httpStatus: 429,
    meaning:
      "More streams begin at once than FAIRLEAD_NEW_STREAM_RATE lets in, as after the restart of another gateway.",
    action: "None; the proxy comes again, after the time in `grpc-retry-pushback-ms`. If it lasts, add a gateway.",
  },
  FL_CONNECTION_OLD: {
    httpStatus: 503,
    meaning:
      "A connection reached FAIRLEAD_MAX_CONNECTION_AGE and was closed, so that proxies spread over all gateways.",
    action: "None; the proxy connects anew and keeps its configuration meanwhile.",
  },
  FL_XDS_NO_REQUEST: {
    httpStatus: 504,
    meaning: "A client opened an xDS stream and sent no request on it within FAIRLEAD_FIRST_REQUEST_TIMEOUT.",
    action: "Look at the client: an xDS stream begins with a request that has node.id.",
  },
  FL_GATEWAY_STOPPING: {
    httpStatus: 503,
    meaning: "The gateway is shutting down; proxies keep their configuration and connect to another one.",
    action: "None; the proxy tries again by itself.",
  },
  FL_NODE_ID_INVALID: {
    httpStatus: 400,
    meaning: "The first request of an xDS stream has no node id, or one that is not allowed.",
    action: "Set node.id in the proxy's bootstrap to the id that the node is registered with.",
  },
  FL_CSDS_UNSUPPORTED: {
    httpStatus: 400,
    meaning: "A ClientStatusRequest selects nodes by something that this gateway does not match.",
    action: "Select nodes by node_id with exact, prefix, suffix or contains; the message names the field.",
  },
  FL_CSDS_TOO_LARGE: {
    httpStatus: 413,
    meaning: "The answer to a ClientStatusRequest would be larger than gRPC clients take.",
    action: "Narrow node_matchers to a few nodes, or set exclude_resource_contents.",
  },
  FL_XDS_MALFORMED: {
    httpStatus: 400,
    meaning: "A message on an xDS stream is no DiscoveryRequest.",
    action: "Check that the client speaks xDS v3 over ADS to this port.",
  },
  FL_XDS_UNAUTHENTICATED: {
    httpStatus: 401,
    meaning: "The peer of an xDS stream did not prove who it is.",
    action: "Give the proxy credentials that this gateway accepts.",
  },
  FL_XDS_NOT_PERMITTED: {
    httpStatus: 403,
    meaning: "The peer of an xDS stream proved who it is, and may not be the node that it says it is.",
    action: "Let node.id in the proxy's bootstrap agree with its credentials.",
  },
  FL_PROXY_NOT_READING: {
    httpStatus: 504,
    meaning: "A proxy did not take what was sent to it within FAIRLEAD_SEND_TIMEOUT and was disconnected.",
    action: "Look at the proxy: it hangs, or its network does. It is served again when it connects anew.",
  },
});
