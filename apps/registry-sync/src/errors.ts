import { declareErrors } from "@fairlead/errors";

export const registrySyncErrors = declareErrors("registry-sync", {
  FL_NODE_UNKNOWN: {
    httpStatus: 404,
    meaning: "The node is not registered, or its lease ran out.",
    action:
      "Register it again with what it publishes and subscribes to (POST /v1/nodes, /pub, /sub). A sidecar does this by itself.",
  },
  FL_INSTANCE_UNKNOWN: {
    httpStatus: 404,
    meaning: "The node has not published this service.",
    action: "Publish it. GET /v1/instances?node=<id> lists what the node has published.",
  },
  FL_PUBLICATION_AMBIGUOUS: {
    httpStatus: 409,
    meaning: "The node has published the service on several ports, and the request does not say which.",
    action: "Add `port` to the service in the body; the message lists the ports.",
  },
  FL_POLICY_OWNED: {
    httpStatus: 409,
    meaning:
      "The policy follows rules of a bridged registry (a configurator, a condition or tag router), so it is not removed by hand.",
    action:
      "Change the rule where it is: the policy's `file` names it. A policy of your own for the same host comes before it.",
  },
  FL_GATEWAY_ADDRESS_REFUSED: {
    httpStatus: 502,
    meaning:
      "An ads-gateway announced a debug address on the bus that is neither its own nor one that the configuration allows. It is not called.",
    action:
      "If it is right, add the address, its network or its name to FAIRLEAD_GATEWAY_HOSTS of registry-sync. Else look for who publishes on the bus.",
  },
  FL_CONFIG_NOT_KNOWN: {
    httpStatus: 503,
    meaning:
      "registry-sync does not know the configuration that proxies are served: nothing was compiled yet, or the bus does not answer.",
    action:
      "Check that a config-compiler is active (`fairlead status`) and that the bus is there (/readyz), and repeat it.",
  },
  FL_REVISION_UNKNOWN: {
    httpStatus: 404,
    meaning: "The revision was never made, so nothing can have it.",
    action: "Take the revision from the answer of the change that you wait for.",
  },
  FL_NODE_LIMIT: {
    httpStatus: 409,
    meaning: "The node has as many publications or subscriptions as a node may have.",
    action: "Withdraw what is not used any more, or raise the limit (docs/reference/config.md).",
  },
  FL_OVERLOADED: {
    httpStatus: 503,
    meaning: "As many requests wait for convergence, or for a dry run, as may wait at a time. Nothing was changed.",
    action: "Repeat it after the seconds in the header Retry-After, or without ?wait=converged.",
  },
  FL_POLICY_WORK_LIMIT: {
    httpStatus: 422,
    meaning:
      "Reading the text of the policies, or compiling the mesh with them for a dry run, took more time or memory than it may. Nothing was changed.",
    action:
      "Split the text, or look for a value of very many elements in it. For a dry run of a very large mesh, raise the limits (docs/reference/config.md).",
  },
});
