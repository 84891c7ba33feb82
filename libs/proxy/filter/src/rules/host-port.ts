import type { RequestRule } from "./rule.ts";

/** @param which ports are taken off a Host: that of the listener, or any */
export function stripPortRule(which: "matching" | "any"): RequestRule {
  return (head, info) => {
    // The target of a CONNECT is nothing without its port.
    if (head.upgrade === "connect") return undefined;
    const found = /^(.+?):(\d+)$/.exec(head.authority);
    if (found === null || (found[1]?.includes(":") === true && !found[1].endsWith("]"))) return undefined;
    if (which === "any" || Number(found[2]) === info.connection.localPort) head.authority = found[1] ?? "";
    return undefined;
  };
}

/** `example.org.` is `example.org`, also before a port. */
export const stripTrailingDotRule: RequestRule = (head) => {
  const bare = head.authority.replace(/^([^:]*[^:.])\.(:\d+)?$/, "$1$2");
  if (bare !== head.authority) head.authority = bare;
  return undefined;
};
