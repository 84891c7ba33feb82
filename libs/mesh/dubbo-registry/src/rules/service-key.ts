import type { Provider } from "../provider.ts";
import type { ProviderTest } from "./rule.ts";

/** A service as rules name it. */
export interface ServiceKey {
  readonly interface: string;
  /** "" for none. */
  readonly version: string;
  readonly group: string;
}

/** `group/org.x.Greeter:1.0.0`, as texts of rules have it. */
export function parseServiceKey(text: string): ServiceKey {
  const slash = text.indexOf("/");
  const rest = text.slice(slash + 1);
  const colon = rest.indexOf(":");
  return {
    group: slash === -1 ? "" : text.slice(0, slash),
    interface: colon === -1 ? rest : rest.slice(0, colon),
    version: normalVersion(colon === -1 ? "" : rest.slice(colon + 1)),
  };
}

/** `org.x.Greeter:1.0.0:group`, as names in the configuration centre have it; empty parts may be left out. */
export function parseColonKey(text: string): ServiceKey {
  const [name = "", version = "", group = ""] = text.split(":");
  return { interface: name, version: normalVersion(version), group };
}

function normalVersion(version: string): string {
  return version === "0.0.0" ? "" : version;
}

export function isOfService(key: ServiceKey): ProviderTest {
  return ({ interface: name, version, group }: Provider) =>
    name === key.interface && version === key.version && group === key.group;
}
