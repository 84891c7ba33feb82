import { computation, type Reading } from "@fairlead/incremental";
import { hostCandidates } from "@fairlead/policy";
import { servicesCalled } from "./services.ts";

const resolved = computation("resolved host", (reading, key): string => {
  const [namespace = "", host = ""] = key.split("\n");
  const candidates = hostCandidates(host, namespace);
  return candidates.find((name) => reading.get(servicesCalled, name).length > 0) ?? candidates[0]!;
});

/** @returns the name in lower case that a host of a policy means; the host itself where nobody has any of its names */
export function resolveHost(reading: Reading, host: string, namespace: string): string {
  return reading.get(resolved, `${namespace}\n${host.toLowerCase()}`);
}
