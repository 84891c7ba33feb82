import { rejection } from "./rejection.ts";

interface ConsistentHashing {
  readonly useHostnameForHashing: boolean;
  readonly hashBalanceFactor?: number | undefined;
}

/**
 * @returns how much of the average load a host may have, in percent
 * @throws FairleadError FL_XDS_REJECTED
 */
export function readHashBalance(message: ConsistentHashing | undefined, where: string): number | undefined {
  if (message === undefined) return undefined;
  if (message.useHostnameForHashing) throw rejection(`${where}use_hostname_for_hashing`, "is not supported");
  const percent = message.hashBalanceFactor;
  if (percent !== undefined && percent < 100) throw rejection(`${where}hash_balance_factor`, "is less than 100");
  return percent;
}
