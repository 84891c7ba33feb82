import { createHash } from "node:crypto";
import type { PolicyObject } from "@fairlead/model";
import { stringify } from "yaml";
import { shownText } from "../shown-text.ts";
import type { CallMatch, TextMatch } from "./call-match.ts";
import type { PlannedRoute, PlannedShare, RoutingPlan } from "./routing-plan.ts";

const maxFileLength = 1000;
/** Of 1: the sum of a route's weights. */
const wholeWeight = 10_000;
const nobody = { providers: [], steps: [] };

/** Dubbo's names, and what is nearest to them. */
const balancers: ReadonlyMap<string, string> = new Map([
  ["random", "RANDOM"],
  ["roundrobin", "ROUND_ROBIN"],
  ["leastactive", "LEAST_REQUEST"],
  ["shortestresponse", "LEAST_REQUEST"],
  ["adaptive", "LEAST_REQUEST"],
  ["p2c", "LEAST_REQUEST"],
]);

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 8);
}

/** A name that goes with what the subset is, not with who is in it at the time; no other registry's rules have it. */
function subsetName(registry: string, { providers, steps }: Omit<PlannedShare, "weight">): string {
  if (providers?.length === 0) return `${registry}-none`;
  const readable = steps
    .at(-1)!
    .replace(/^.*[/#]/, "")
    .replaceAll(/[^A-Za-z0-9]+/g, "-")
    .replaceAll(/^-+|-+$/g, "")
    .slice(-20)
    .replace(/^-/, "");
  return [registry, ...(readable === "" ? [] : [readable]), digest(steps.join("\n"))].join("-");
}

function escaped(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`);
}

function matchValue({ kind, value }: TextMatch): object {
  if (kind === "present") return {};
  if (kind === "glob") return { regex: value.split("*").map(escaped).join(".*") };
  return { [kind]: value };
}

function matchOf({ path, headers, labels }: CallMatch): object {
  const named = Object.entries(headers);
  return {
    ...(path === undefined ? {} : { uri: matchValue(path) }),
    ...(named.length === 0
      ? {}
      : { headers: Object.fromEntries(named.map(([name, match]) => [name, matchValue(match)])) }),
    ...(Object.keys(labels).length === 0 ? {} : { sourceLabels: labels }),
  };
}

function isEmpty(match: CallMatch): boolean {
  return Object.keys(matchOf(match)).length === 0;
}

function routeOf(
  { registry, interface: host }: PolicyOrigin,
  { matches, shares, timeoutMs, retries }: PlannedRoute,
): object {
  const destination = (share: PlannedShare) =>
    share.providers === undefined ? { host } : { host, subset: subsetName(registry, share) };
  const nowhere = shares.length === 0 ? [{ destination: { host, subset: subsetName(registry, nobody) } }] : [];
  return {
    ...(matches.some(isEmpty) ? {} : { match: matches.map(matchOf) }),
    route: [
      ...nowhere,
      ...shares.map((share) => ({
        destination: destination(share),
        ...(shares.length === 1 ? {} : { weight: Math.max(1, Math.round(share.weight * wholeWeight)) }),
      })),
    ],
    ...(timeoutMs === undefined ? {} : { timeout: `${timeoutMs}ms` }),
    ...(retries === undefined ? {} : { retries: { attempts: retries } }),
  };
}

function subsetsOf(registry: string, routes: readonly PlannedRoute[]): object[] {
  const found = new Map<string, object>();
  for (const { shares } of routes) {
    if (shares.length === 0) {
      const name = subsetName(registry, nobody);
      found.set(name, { name, addresses: [] });
    }
    for (const share of shares) {
      if (share.providers === undefined) continue;
      const name = subsetName(registry, share);
      const addresses = share.providers.map(({ address, port }) => `${address.includes(":") ? `[${address}]` : address}:${port}`); // prettier-ignore
      found.set(name, { name, addresses: [...new Set(addresses)].toSorted() });
    }
  }
  return [...found.entries()].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, subset]) => subset);
}

export interface PolicyOrigin {
  /** Of the bridged registry; the policies' namespace is `~<registry>`, which no applied policy can have. */
  readonly registry: string;
  readonly interface: string;
}

/** Policies of a registry's rules are kept under this namespace: nobody can apply one there, and it comes after all others. */
export function ruleNamespace(registry: string): string {
  return `~${registry}`;
}

export function isOfRegistry(namespace: string): boolean {
  return namespace.startsWith("~");
}

/** The plan as the mesh's own policies; none where it says nothing. The same text for the same plan. */
export function rulePolicies(origin: PolicyOrigin, plan: RoutingPlan): PolicyObject[] {
  const { registry, interface: host } = origin;
  const simple = plan.balancing === undefined ? undefined : balancers.get(plan.balancing);
  const subsets = subsetsOf(registry, plan.routes);
  const name = `${host.toLowerCase().replaceAll(/[^a-z0-9.-]/g, "-").replaceAll(/^[.-]+|[.-]+$/g, "").slice(0, 200)}-${digest(host)}`; // prettier-ignore
  const file = shownText(`registry ${registry}: ${plan.sources.join(", ") || host}`, maxFileLength);
  const policy = (kind: "VirtualService" | "DestinationRule", spec: object): PolicyObject => {
    const annotations = { "fairlead.io/origin": file };
    const document = { apiVersion: "networking.istio.io/v1", kind, metadata: { name, annotations }, spec };
    const text = stringify(document, null, { lineWidth: 0, aliasDuplicateObjects: false }).toWellFormed();
    return { kind, namespace: ruleNamespace(registry), name, file, line: 1, text };
  };
  const policies: PolicyObject[] = [];
  if (subsets.length > 0 || simple !== undefined) {
    const trafficPolicy = simple === undefined ? {} : { trafficPolicy: { loadBalancer: { simple } } };
    policies.push(policy("DestinationRule", { host, ...trafficPolicy, ...(subsets.length > 0 ? { subsets } : {}) }));
  }
  if (plan.routes.length > 0)
    policies.push(
      policy("VirtualService", { hosts: [host], http: plan.routes.map((route) => routeOf(origin, route)) }),
    );
  return policies;
}
