export { browserRefusal } from "./browser-guard.ts";
export { errorAnswer, type ErrorAnswer } from "./error-answer.ts";
export { type BodyRules } from "./body-rules.ts";
export { defaultHttpLimits, type HttpLimits, httpLimitsOf } from "./http-limits.ts";
export { addRoute, type Route, type RouteRequest } from "./add-route.ts";
export { createHttpApi, type HttpApi, type HttpApiOptions, type Readiness } from "./http-api.ts";
export { RelayedError } from "./relayed-error.ts";
