/** What an assignment says of all its hosts together. */
export interface AssignmentPolicy {
  /** How much a priority is thought to be able to take when hosts are missing, in percent. @default the cluster's */
  readonly overprovisioningPercent?: number;
  /** The share of requests that is turned away before a host is chosen, 0 to 1. @default 0 */
  readonly dropOverload?: number;
}
