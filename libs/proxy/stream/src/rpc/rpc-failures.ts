import type { RpcFailure } from "@fairlead/codec-rpc";

/** What a caller's framework is told when the proxy answers itself: by the status that HTTP would have got, and by what the text begins with. */
export function failureOf(status: number, text: string): RpcFailure {
  switch (status) {
    case 400:
      return "malformed";
    case 403:
      return "denied";
    case 404:
      return "no-route";
    case 429:
      return "overflow";
    case 408:
    case 504:
      return "timeout";
    case 503:
      if (text.startsWith("no healthy upstream")) return "no-healthy-upstream";
      if (text.includes("overflow")) return "overflow";
      return text.includes("connection failure") || text.includes("connection timeout")
        ? "connection-failed"
        : "connection-lost";
    default:
      return "unavailable";
  }
}
