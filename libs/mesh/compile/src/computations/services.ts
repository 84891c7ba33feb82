import { computation } from "@fairlead/incremental";
import type { Service } from "@fairlead/model";
import { httpRank } from "../names.ts";
import { compareText } from "../compare-text.ts";
import { all, allServices, services, servicesOfInterface } from "./facts.ts";

/** The services of an interface in any case, HTTP's protocols first, the plainest before the others. Key: the interface in lower case. */
export const servicesCalled = computation("services of an interface", (reading, name): readonly Service[] => {
  const rank = (service: Service) => httpRank(service.protocol) ?? Number.MAX_SAFE_INTEGER;
  return reading
    .get(servicesOfInterface, name)
    .map((key) => reading.get(services, key)!)
    .toSorted(
      (a, b) => rank(a) - rank(b) || compareText(a.protocol, b.protocol) || compareText(a.interface, b.interface),
    );
});

/** All interfaces in lower case, sorted. Key: all. */
export const allInterfaces = computation("interfaces", (reading): readonly string[] => {
  const names = reading.get(allServices, all).map((key) => reading.get(services, key)!.interface.toLowerCase());
  return [...new Set(names)].toSorted(compareText);
});
