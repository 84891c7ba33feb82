import { declareErrors } from "@fairlead/errors";

export const httpApiErrors = declareErrors("http-api", {
  FL_REQUEST_INVALID: {
    httpStatus: 400,
    meaning: "The request's body, query or path is not what the operation takes.",
    action: "`facts.problems` names each field with what is wrong; openapi.json describes the operation.",
  },
  FL_REQUEST_MALFORMED: {
    httpStatus: 400,
    meaning: "The request's body or path cannot be parsed.",
    action:
      "Send well-formed JSON as UTF-8 with content-type application/json (or YAML where the operation takes YAML), and encode the path as RFC 3986 has it.",
  },
  FL_REQUEST_TOO_LARGE: {
    httpStatus: 413,
    meaning: "The request's body is larger than the limit.",
    action: "Split it. The limit is a setting of the service (docs/reference/config.md).",
  },
  FL_REQUEST_MEDIA_TYPE: {
    httpStatus: 415,
    meaning: "The operation does not take this content-type.",
    action: "Send the content-type that openapi.json names for the operation.",
  },
  FL_LISTEN_FAILED: {
    httpStatus: 500,
    meaning: "The service cannot listen on its address; mostly because another process does.",
    action: "Stop the other process (`ss -ltnp`), or set another port (docs/reference/config.md).",
  },
  FL_ORIGIN_REFUSED: {
    httpStatus: 403,
    meaning: "A web page of another site tried to change something through an API of the machine of its reader.",
    action: "Use curl or the fairlead command. Other sites' pages are refused, as these APIs are not authenticated.",
  },
  FL_HOST_REFUSED: {
    httpStatus: 403,
    meaning:
      "A request on loopback names another host: a web page whose name resolves to this machine (DNS rebinding), or a local proxy that passes its own Host on.",
    action: "Address the API as 127.0.0.1, [::1] or localhost; let a local proxy send one of these as Host.",
  },
  FL_NOT_FOUND: {
    httpStatus: 404,
    meaning: "There is no such path or object.",
    action: "Check the path against openapi.json, and the object's name against the list operation.",
  },
});
