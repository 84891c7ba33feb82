/** What `retryOn` may name, besides status codes: Envoy's conditions. The meaning is in docs/reference/policies.md. */
export const retryConditions: readonly string[] = [
  "5xx",
  "gateway-error",
  "reset",
  "reset-before-request",
  "connect-failure",
  "retriable-4xx",
  "refused-stream",
  "cancelled",
  "deadline-exceeded",
  "internal",
  "resource-exhausted",
  "unavailable",
];
