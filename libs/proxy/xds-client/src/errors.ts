import { declareErrors } from "@fairlead/errors";

export const xdsClientErrors = declareErrors("proxy-xds-client", {
  FL_ADS_NO_ADDRESS: {
    httpStatus: 500,
    meaning: "The ADS client was given no address of a gateway.",
    action: "Set FAIRLEAD_ADS_ADDRESS to host:port of an ads-gateway; several are separated by commas.",
  },
});
