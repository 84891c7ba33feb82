import { computation } from "@fairlead/incremental";
import { wildcardsOf } from "@fairlead/policy";
import { type Callee, calleeKey, externalPart } from "../callee.ts";
import { compareText } from "../compare-text.ts";
import { httpRank } from "../names.ts";
import { all, allServiceEntries, allServices, services, servicesOfInterface } from "./facts.ts";
import { externalPorts, serviceEntry } from "./service-entries.ts";

/** Where calls without a port go, of the ports of a ServiceEntry. */
const usualPort = 80;

const rank = ({ protocol }: Callee): number => httpRank(protocol) ?? Number.MAX_SAFE_INTEGER;

/**
 * Who is called by a name: registered services first, HTTP's protocols before the others, the plainest first; then the ports of
 * ServiceEntries, 80 before the others. Key: the name in lower case.
 */
export const servicesCalled = computation("services of an interface", (reading, name): readonly Callee[] => {
  const registered = reading
    .get(servicesOfInterface, name)
    .map((key) => reading.get(services, key)!)
    .toSorted(
      (a, b) => rank(a) - rank(b) || compareText(a.protocol, b.protocol) || compareText(a.interface, b.interface),
    );
  const isHttp = ({ protocol }: Callee) => Number(httpRank(protocol) === undefined);
  const external = reading
    .get(externalPorts, name)
    .map(({ callee }) => callee)
    .toSorted(
      (a, b) =>
        isHttp(a) - isHttp(b) || Number(a.port !== usualPort) - Number(b.port !== usualPort) || a.port! - b.port!,
    );
  return [...registered, ...external];
});

/** Key: a callee's. Undefined: nobody registered it, and no ServiceEntry has it. */
export const calleeOf = computation("callee", (reading, key): Callee | undefined => {
  const external = externalPart(key);
  if (external === undefined) return reading.get(services, key);
  return reading.get(externalPorts, external.host).find(({ callee }) => calleeKey(callee) === key)?.callee;
});

/** All names that can be called, in lower case, sorted. Key: all. */
export const allInterfaces = computation("interfaces", (reading): readonly string[] => {
  const names = reading.get(allServices, all).map((key) => reading.get(services, key)!.interface.toLowerCase());
  const hosts = reading
    .get(allServiceEntries, all)
    .flatMap((key) => reading.get(serviceEntry, key).use?.entry.hosts ?? [])
    .map((host) => host.toLowerCase());
  return [...new Set([...names, ...hosts])].toSorted(compareText);
});

/** The name that a subscriber means: itself, or the narrowest wildcard of a ServiceEntry above it. Key: the name in lower case. */
export const nameSeen = computation("name seen", (reading, name): string => {
  if (reading.get(servicesCalled, name).length > 0) return name;
  return wildcardsOf(name).find((wildcard) => reading.get(servicesCalled, wildcard).length > 0) ?? name;
});
