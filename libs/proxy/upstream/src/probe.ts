/** `bad answer`: the host is there and says no; the others may be the network's fault, and count only when they repeat. */
export type ProbeResult = "pass" | "bad answer" | "failure" | "network failure";

/** One check of one host under way; it ends with its result, unless it is cancelled. */
export interface Probe {
  cancel(): void;
}
