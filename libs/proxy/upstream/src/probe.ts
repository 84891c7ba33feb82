/**
 * `degraded`: passes, but would rather not be asked. `bad answer`: the host is there and says no; `excluded`: and asks for it to be
 * taken out. The others may be the network's fault, and count only when they repeat.
 */
export type ProbeResult = "pass" | "degraded" | "bad answer" | "excluded" | "failure" | "network failure";

/** One check of one host under way; it ends with its result, unless it is cancelled. */
export interface Probe {
  cancel(): void;
}
