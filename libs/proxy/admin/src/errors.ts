import { declareErrors } from "@fairlead/errors";

export const adminErrors = declareErrors("proxy-admin", {
  FL_ADMIN_PEER_REFUSED: {
    httpStatus: 403,
    meaning: "Somebody on another host has tried to change something through a proxy's admin pages.",
    action:
      "Send the POST from the proxy's own host or container (kubectl exec, ssh). Pages that are only read are for all who reach the port.",
  },
});
