import { declareErrors } from "@fairlead/errors";

export const nacosErrors = declareErrors("nacos", {
  FL_NACOS_UNAVAILABLE: {
    httpStatus: 503,
    meaning: "Nacos cannot be reached, or did not answer in time: whether a change was made is not known.",
    action:
      "Nothing, when it is short: the client connects again by itself. Otherwise look whether the servers run, and whether their gRPC port (1000 above the HTTP port) may be reached.",
  },
  FL_NACOS_REFUSED: {
    httpStatus: 502,
    meaning: "Nacos answered a request with an error: its code is in `reason`, the request in `request`.",
    action:
      "For 401 and 403 check the user, its password and its permissions for the namespace; for others read Nacos' own log.",
  },
  FL_NACOS_ADDRESS_INVALID: {
    httpStatus: 400,
    meaning: "A list of Nacos servers is not host:port,host:port.",
    action: "Write the servers with their HTTP ports, as `nacos1:8848,nacos2:8848`.",
  },
});
