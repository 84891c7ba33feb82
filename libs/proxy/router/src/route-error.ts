import { FairleadError } from "@fairlead/errors";
import { routerErrors } from "./errors.ts";

/** @param where the field, from the route table on */
export function invalidRoute(where: string, problem: string): FairleadError {
  const code: keyof typeof routerErrors = "FL_ROUTE_INVALID";
  return new FairleadError(code, `${where}: ${problem}`, { facts: { field: where } });
}
