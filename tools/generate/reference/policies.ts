import { type PolicyKind, policyKinds } from "@fairlead/model";
import {
  bytesOfRoute,
  type FieldSchema,
  fieldsBelow,
  headerCommands,
  headerReaders,
  maxMeshRouteBytes,
  maxRouteBytes,
  retryConditions,
  specFields,
} from "@fairlead/policy";
import { generatedNote, table } from "./markdown.ts";

/** Shapes that many fields have are described once, in a table or a paragraph of their own. */
const described: readonly (readonly [isOne: (path: string, schema: FieldSchema) => boolean, where: string])[] = [
  [(_, schema) => [schema, schema.items, schema.additionalProperties].some((inner) => isStringMatch(inner)), ""],
  [(path) => path === "subsets[].trafficPolicy", "Fields as of `trafficPolicy`."],
  [
    (path) => /^trafficPolicy\.portLevelSettings\[\]\.(loadBalancer|connectionPool|outlierDetection|tls)$/.test(path),
    "Fields as of `trafficPolicy`.",
  ],
  [(path) => path === "http[].route[].headers", "Fields as of `http[].headers`."],
  [
    (path) => /(mirror|mirrors\[\]\.destination|t[lc][sp]\[\]\.route\[\]\.destination)$/.test(path),
    "Fields as of `http[].route[].destination`.",
  ],
  [
    (path) => /^(ingress\[\]\.connectionPool|inboundConnectionPool)$/.test(path),
    "Fields as of a DestinationRule's `trafficPolicy.connectionPool`.",
  ],
];

function isStringMatch(schema: FieldSchema | boolean | undefined): boolean {
  return typeof schema === "object" && Object.keys(schema.properties ?? {}).join() === "exact,prefix,regex";
}

const also = (path: string, schema: FieldSchema) => described.find(([isOne]) => isOne(path, schema))?.[1];

function fieldTable(kind: PolicyKind): string {
  const notes = new Map<string, string>();
  const fields = [
    ...fieldsBelow(specFields(kind), (path, schema) => {
      const note = also(path, schema);
      if (note !== undefined) notes.set(path, note);
      return note === undefined;
    }),
  ];
  const rows = fields.map(({ path, isRefused, description }) => [
    `\`${path}\``,
    isRefused ? "refused" : "done",
    [description.replace(/^Refused: /, ""), notes.get(path)]
      .filter((text) => text !== undefined && text !== "")
      .join(" "),
  ]);
  return table(["field of `spec`", "", "what it does, or why it is refused"], rows);
}

/** Every field of every kind of policy, by the schemas that check them. */
export function policyReference(): string {
  const sections = policyKinds.map((kind) => `## ${kind}\n\n${intro[kind]}\n\n${fieldTable(kind)}`);
  return `${generatedNote}
# Policies

YAML (several documents in a file) or JSON, in the shapes that Istio's users know: \`networking.istio.io/v1\`, \`v1beta1\`, \`v1alpha3\`. The tables below
are those of the schemas that check what is applied: **a field that is not here is refused**, with file, line and column, and so is one that is marked so. Everything
of a file is applied, or nothing. What \`exact\`, \`prefix\` and \`regex\` are given for: the whole text, its beginning, or an RE2 pattern that the whole text matches.
How to use them: [guides](../guides/route-traffic.md).

## Hosts

\`host\` and \`hosts\` are interfaces of services, such as \`shop.Reviews\`, or hosts of ServiceEntries, such as \`httpbin.org\`. Upper and lower case do not matter. Of
the names that one may mean, the first that somebody registered, or a ServiceEntry has, counts:

1. the name itself;
2. of \`reviews.shop.svc.cluster.local\`: \`reviews.shop\`, \`shop.reviews\`, \`reviews\`;
3. of a name without a dot: the policy's namespace before it. \`reviews\` in the namespace \`shop\` is \`shop.Reviews\`.

\`*.example.com\` means all names below it that have no policy of their own; the narrowest wildcard counts. A host that nobody has registered yet is legal, and waits.

## Namespaces

A policy is of the namespace of its \`metadata\`, by default \`default\`. A node is of that in its label \`namespace\`, by default \`default\`. A registered service is of every
namespace, a ServiceEntry of its own.

## Several policies of one thing

They are taken in the order of namespace and name. VirtualServices of a host: their routes, one after the other, and at gateways those that take all calls last.
DestinationRules: all subsets, of one that two have the first; the first traffic policy. ServiceEntries: of a port that two have the first.
Servers of a gateway's port: all for plain HTTP, one for each server name of TLS, one for TCP. What is not in force for it is reported as
[FL_POLICY_CONFLICT](errors.md#FL_POLICY_CONFLICT), with file and line; the rest of the policy is in force.

${sections.join("\n\n")}

## retryOn

Status codes, and Envoy's conditions: ${retryConditions.map((condition) => `\`${condition}\``).join(", ")}. Default, as in Istio: what may be repeated without
knowing whether the call had an effect (\`connect-failure,refused-stream,unavailable,cancelled,reset-before-request\`), on another instance where there is one.

## Header values

May hold what the proxy puts in: ${headerReaders.map((reader) => `\`%${reader}(header)%\``).join(", ")} with a second header for when the first is missing (\`%REQ(x-a?x-b)%\`)
and a longest length (\`%REQ(x-a):20%\`); ${headerCommands.map((command) => `\`%${command}%\``).join(", ")}. \`%%\` is a percent sign.
Another \`%\` is refused.

## Delegates

A VirtualService without \`hosts\` is a delegate. Its routes take the place of the route that names it. A call must match both; a match of the delegate
that no call of the root's could meet, or a pattern beside another text, is left out. What the delegate says of time-outs, retries, headers and so on comes before what its root says.

## Proxyless gRPC clients

They get the same routes and clusters, and use of them: matches, weights, time-outs, retries, faults, hashes by header, ring hashes, outlier detection, maximum requests. They
cannot answer by themselves, redirect, mirror, rewrite or change headers: a call that takes a route without destination fails, the rest they leave out. What depends on who calls
(\`sourceLabels\`, \`sourceNamespace\`, \`exportTo\`) is for proxies, and so is TLS with files: gRPC clients take no cluster that has it.

## When a policy cannot be used

A destination that nobody has registered, a subset that no DestinationRule names, or a delegate that is not there, is found when it is compiled. The policy is then
rejected, \`?wait=converged\` and \`GET /v1/revisions/N/convergence\` name it with file and line, and this counts, in this order:

1. A policy that never was in force takes no calls: what there was without it stays.
2. Another text of it that was in force before stays in force, if all of that is still there; over a restart of the compiler too.
3. Else what its text says now is in force, and **the share of calls that it sends to what is not there gets 503**, as in Istio. So it is when a subset is taken out of
   its rule, when the rule is deleted, or when the destination is no longer registered. These calls never go to the whole service, or by another policy.
   Copies for a mirror that is not there are not made. Once the destination is there, calls go there again; nothing needs to be applied.
4. One that cannot be followed for another reason, such as a delegate that has become too large, answers all of its calls with 503.

To take a subset away, change the routes first, then the rule. That a policy was in force is in the bucket of the bus; a compiler that finds an empty bucket knows of none.

## Limits

How large a configuration becomes is estimated before it is made: for each match of a route and each host about ${bytesOfRoute} bytes, and what the route says.

| routes of | limit | beyond it |
| --- | --- | --- |
| one VirtualService, with its delegates | ${maxRouteBytes / 1024 / 1024} MiB | it is refused when it is applied; with delegates, when it is compiled |
| one host of the mesh, of all its VirtualServices | ${maxRouteBytes / 1024 / 1024} MiB | the largest VirtualServices are rejected until the rest is within the limit |
| all hosts of the mesh | ${maxMeshRouteBytes / 1024 / 1024} MiB | the same |
| the Gateways of a node: servers × hosts × routes | ${maxMeshRouteBytes / 1024 / 1024} MiB | the same, at this gateway |

A VirtualService that is rejected so is named with file and line as [FL_POLICY_TOO_LARGE](errors.md#FL_POLICY_TOO_LARGE), and the calls of its hosts that come to its routes get 503.
The others are compiled.
`;
}

const intro: Readonly<Record<PolicyKind, string>> = {
  VirtualService: "Where calls go, and how.",
  DestinationRule: "How proxies call a service, and which parts it has.",
  ServiceEntry:
    "Hosts that nobody registers: outside of the mesh, or inside without a sidecar. They are called like services, at the sidecar's outbound port. A port of HTTPS, TLS or TCP has a cluster for gateways and for routes that name the port; an application that makes TLS itself does not go through its sidecar.",
  Gateway:
    "Ports of the nodes that are gateways: their proxies listen there, and route by the VirtualServices that name the Gateway. A node that is a gateway and has no outbound port holds only what its routes lead to.",
  Sidecar:
    "What the proxies of some nodes see, and how calls get to their applications. The first without a selector is for all nodes of its namespace.",
};
