import { hash } from "node:crypto";

/** The version of a resource: 16 hex digits of the SHA-256 of its bytes. The same on every replica and after every restart. */
export function contentVersion(body: Uint8Array): string {
  return hash("sha256", body, "hex").slice(0, 16);
}
