import { FairleadError } from "@fairlead/errors";
import type { hessianErrors } from "./errors.ts";

export type HessianErrorCode = keyof typeof hessianErrors;

export function malformed(message: string, at: number): FairleadError {
  const code: HessianErrorCode = "FL_HESSIAN_MALFORMED";
  return new FairleadError(code, `${message}, at byte ${at}`, { facts: { at } });
}

export function tooDeep(depth: number, at: number): FairleadError {
  const code: HessianErrorCode = "FL_HESSIAN_TOO_DEEP";
  return new FairleadError(code, `values nest ${depth} deep at byte ${at}`, { facts: { at, depth } });
}
