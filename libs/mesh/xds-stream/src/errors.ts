import { declareErrors } from "@fairlead/errors";

export const xdsStreamErrors = declareErrors("xds-stream", {
  FL_XDS_TYPE_MISSING: {
    httpStatus: 400,
    meaning: "A request on an aggregated xDS stream has no type_url.",
    action: "The client is broken or speaks to the wrong service: on ADS each request names its type.",
  },
  FL_XDS_TYPE_FOREIGN: {
    httpStatus: 400,
    meaning: "A request on a single-type xDS service has the type_url of another type.",
    action: "Use the aggregated service (ADS) for several types, or leave type_url out.",
  },
  FL_XDS_TOO_MANY_NAMES: {
    httpStatus: 429,
    meaning: "A proxy subscribes to more names of one type than a stream may.",
    action: "Narrow what the application subscribes to, or let the proxy use a wildcard subscription.",
  },
  FL_XDS_TOO_MANY_TYPES: {
    httpStatus: 429,
    meaning: "A proxy asks for more resource types than a stream may.",
    action: "The client is broken: xDS has a dozen types.",
  },
});
