import type { Provider } from "../provider.ts";
import { everyCall } from "./call-match.ts";
import type { Dimension } from "./dimension.ts";

/** What a call asks for besides the interface; what is undefined does not matter to it. */
export interface ServiceIdentity {
  readonly version?: string;
  readonly group?: string;
}

/** What calls may ask for, the most particular first; nothing where all providers are the same. */
export function identitiesOf(providers: readonly Provider[]): readonly ServiceIdentity[] {
  const pairs = new Set(providers.map(({ version, group }) => JSON.stringify([version, group])));
  if (pairs.size < 2) return [];
  const found = new Map<string, ServiceIdentity>();
  for (const { version, group } of providers) {
    const ofVersion = version === "" ? {} : { version };
    const ofGroup = group === "" ? {} : { group };
    for (const identity of [{ ...ofVersion, ...ofGroup }, ofVersion, ofGroup])
      if (Object.keys(identity).length > 0) found.set(JSON.stringify(identity), identity);
  }
  const parts = (identity: ServiceIdentity) => Object.keys(identity).length;
  return [...found.entries()]
    .toSorted(([a, one], [b, other]) => parts(other) - parts(one) || (a < b ? 1 : -1))
    .map(([, identity]) => identity);
}

export function identityDimension(identities: readonly ServiceIdentity[]): Dimension<ServiceIdentity | undefined> {
  const cases = identities.map((identity) => {
    const headers = Object.entries(identity).map(([name, value]) => [name, { kind: "exact", value }] as const);
    return { alternatives: [{ ...everyCall, headers: Object.fromEntries(headers) }], value: identity };
  });
  return [...cases, { alternatives: [everyCall], value: undefined }];
}
