import { FairleadError } from "@fairlead/errors";
import type { nacosErrors } from "./errors.ts";

export type NacosErrorCode = keyof typeof nacosErrors;

/** The user may not, or who it is has to be proved again. */
const accessCodes: readonly unknown[] = [401, 403];

/** @param reason Nacos' own code */
export function refused(request: string, reason: number, message: string): FairleadError {
  const code: NacosErrorCode = "FL_NACOS_REFUSED";
  return new FairleadError(code, `Nacos refused a ${request}: ${message.slice(0, 200)} (${reason})`, {
    facts: { request, reason },
  });
}

export function unavailable(message: string, cause?: unknown): FairleadError {
  const code: NacosErrorCode = "FL_NACOS_UNAVAILABLE";
  return new FairleadError(code, message, { cause });
}

export function invalidAddress(text: string): FairleadError {
  const code: NacosErrorCode = "FL_NACOS_ADDRESS_INVALID";
  return new FairleadError(code, `${text.slice(0, 200)} is not host:port,host:port`);
}

export function isRefusal(error: unknown, ...reasons: readonly number[]): boolean {
  if (!(error instanceof FairleadError) || error.code !== "FL_NACOS_REFUSED") return false;
  return reasons.length === 0 || reasons.some((reason) => error.facts["reason"] === reason);
}

export function isAccessDenied(error: unknown): boolean {
  return error instanceof FairleadError && error.code === "FL_NACOS_REFUSED" && accessCodes.includes(error.facts["reason"]); // prettier-ignore
}
