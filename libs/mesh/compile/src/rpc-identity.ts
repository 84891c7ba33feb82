import type { Instance } from "@fairlead/model";
import { compareText } from "./compare-text.ts";

/** What an RPC call may ask for besides its interface. What it leaves out does not matter to it. */
export interface RpcIdentity {
  readonly version?: string;
  readonly group?: string;
}

type Identified = Pick<Instance, "version" | "group">;

/** The name of the subset that has these instances: no DestinationRule can name one so. */
export function identityName({ version, group }: RpcIdentity): string {
  return [version === undefined ? "" : `version=${version}`, group === undefined ? "" : `group=${group}`]
    .filter((part) => part !== "")
    .join(",");
}

export function hasIdentity(instance: Identified, identity: RpcIdentity | undefined): boolean {
  if (identity === undefined) return true;
  return (
    (identity.version ?? instance.version) === instance.version && (identity.group ?? instance.group) === instance.group
  );
}

/** What calls may ask for, the most particular first; nothing where all instances are the same: there a call's words need not be read. */
export function identitiesOf(instances: readonly Identified[]): RpcIdentity[] {
  const pairs = new Set(instances.map(({ version, group }) => `${group}\n${version}`));
  if (pairs.size < 2) return [];
  const found = new Map<string, RpcIdentity>();
  for (const { version, group } of instances) {
    const [ofVersion, ofGroup] = [version === "" ? {} : { version }, group === "" ? {} : { group }];
    for (const identity of [{ ...ofVersion, ...ofGroup }, ofVersion, ofGroup])
      found.set(identityName(identity), identity);
  }
  found.delete("");
  const parts = (identity: RpcIdentity): number => Object.keys(identity).length;
  return [...found]
    .toSorted(([a, one], [b, other]) => parts(other) - parts(one) || compareText(b, a))
    .map(([, identity]) => identity);
}
