export { proxyFields } from "./proxy-fields.ts";
export { type HttpCall, RegistryCaller } from "./registry-call.ts";
