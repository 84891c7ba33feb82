import type { RequestHead } from "@fairlead/proxy-stream";
import { compileHeader, compileQuery, type HeaderTest } from "./compile-match.ts";
import { maskedAddress } from "./masked-address.ts";
import type { HeaderMatch, QueryParameterMatch } from "./route-match.ts";

/** What a request counts as for rate limits: one descriptor, of what its actions find, or none where one of them finds nothing. */
export interface RateLimitSpec {
  /** Filters take those of their own stage. @default 0 */
  readonly stage: number;
  readonly actions: readonly RateLimitAction[];
}

/** Adds a key with a value to the descriptor. */
export type RateLimitAction =
  | { readonly kind: "genericKey"; readonly key: string; readonly value: string }
  | { readonly kind: "requestHeader"; readonly key: string; readonly name: string; readonly skipIfAbsent: boolean }
  | { readonly kind: "remoteAddress" }
  /** Of the first bits of the address. */
  | { readonly kind: "maskedRemoteAddress"; readonly ipv4Bits: number; readonly ipv6Bits: number }
  | { readonly kind: "destinationCluster" }
  | (Valued & { readonly kind: "headerMatch"; readonly headers: readonly HeaderMatch[] })
  | (Valued & { readonly kind: "queryMatch"; readonly parameters: readonly QueryParameterMatch[] });

interface Valued {
  readonly key: string;
  readonly value: string;
  /** What is matched must, or must not, hold. */
  readonly expected: boolean;
}

/** What actions ask for besides the head. */
export interface RateLimitFacts {
  readonly clientAddress: string;
  /** Of the route's clusters, the one that was chosen; "" = none was. */
  readonly cluster: string;
}

/** Ready to use. */
export interface RateLimitRule {
  readonly stage: number;
  /** @returns undefined where the rule has nothing to say about the request. @throws MatchTooLong */
  readonly describe: (head: RequestHead, facts: RateLimitFacts) => string | undefined;
}

/** An entry as text; a descriptor is the text of all of its entries, in their order. */
export function descriptorEntry(key: string, value: string): string {
  return `${key}\0${value}\0`;
}

/** @returns undefined = there is no descriptor; "" = nothing is added to it */
type Describe = (head: RequestHead, facts: RateLimitFacts) => string | undefined;

/** @throws FairleadError FL_ROUTE_INVALID */
export function compileRateLimits(specs: readonly RateLimitSpec[], where: string): readonly RateLimitRule[] {
  return specs.map(({ stage, actions }, i) => {
    const parts = actions.map((action, j) => compileAction(action, `${where}[${i}].actions[${j}]`));
    return { stage, describe: (head, facts) => join(parts, head, facts) };
  });
}

function join(parts: readonly Describe[], head: RequestHead, facts: RateLimitFacts): string | undefined {
  let descriptor = "";
  for (const part of parts) {
    const entry = part(head, facts);
    if (entry === undefined) return undefined;
    descriptor += entry;
  }
  return descriptor === "" ? undefined : descriptor;
}

function compileAction(action: RateLimitAction, where: string): Describe {
  switch (action.kind) {
    case "genericKey": {
      const entry = descriptorEntry(action.key, action.value);
      return () => entry;
    }
    case "requestHeader": {
      const { key, name, skipIfAbsent } = action;
      return (head) => {
        const value = headerOf(head, name);
        if (value === undefined) return skipIfAbsent ? "" : undefined;
        return descriptorEntry(key, value);
      };
    }
    case "remoteAddress":
      return (_head, { clientAddress }) => descriptorEntry("remote_address", clientAddress);
    case "maskedRemoteAddress": {
      const { ipv4Bits, ipv6Bits } = action;
      return (_head, { clientAddress }) =>
        descriptorEntry("masked_remote_address", maskedAddress(clientAddress, ipv4Bits, ipv6Bits));
    }
    case "destinationCluster":
      return (_head, { cluster }) => (cluster === "" ? undefined : descriptorEntry("destination_cluster", cluster));
    case "headerMatch":
      return valued(
        action,
        action.headers.map((header, i) => compileHeader(header, `${where}.headers[${i}]`)),
      );
    default:
      return valued(action, compileQuery(action.parameters, `${where}.query_parameters`));
  }
}

function valued({ key, value, expected }: Valued, tests: readonly (HeaderTest | QueryTest)[]): Describe {
  const entry = descriptorEntry(key, value);
  return (head) => (tests.every((test) => test(head)) === expected ? entry : undefined);
}

type QueryTest = (head: RequestHead) => boolean;

function headerOf(head: RequestHead, name: string): string | undefined {
  switch (name) {
    case ":path":
      return head.path;
    case ":authority":
      return head.authority;
    case ":method":
      return head.method;
    default:
      return name === ":scheme" ? head.scheme : head.headers.get(name);
  }
}
