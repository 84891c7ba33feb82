import type { RouteToRender } from "./planned-route.ts";

/** What proxies take without being told. */
const usualBytes = 4096;

/** Bytes of the longest answer that one of the routes gives by itself. */
export function longestAnswer(routes: readonly RouteToRender[]): number {
  const sizes = routes.map(({ route }) => {
    const body = route.directResponse?.body;
    return body?.bytes?.length ?? Buffer.byteLength(body?.string ?? "");
  });
  return sizes.reduce((longest, size) => Math.max(longest, size), 0);
}

/** The field of a route configuration that gives an answer of so many bytes; nothing where proxies need not be told. */
export function answerLimit(bytes: number): { maxDirectResponseBodySizeBytes?: number } {
  return bytes > usualBytes ? { maxDirectResponseBodySizeBytes: bytes } : {};
}
