import { type CollectedRules, type Wire, wires } from "./xds-rules.ts";
import type { ScriptResult } from "./xds-run.ts";

export interface RealClient extends ScriptResult {
  readonly client: string;
  readonly variant: string;
}

/** What we chose where xDS leaves a choice, or do not do. Each is held by the tests of its rule. */
const choices: readonly (readonly [rules: string, choice: string])[] = [
  ["2", "Another node later on a stream is ignored: the stream belongs to the node that opened it."],
  [
    "4",
    "An unknown type is served as one without resources; a service of one type refuses others with INVALID_ARGUMENT.",
  ],
  [
    "15, 16",
    "A NACK holds back what its text names. When it names nothing, all of the response is held back until its content changes.",
  ],
  ["17, 20 to 22", "Names count in every request, whatever its nonce; the nonce only matches answers to responses."],
  ["29", "On a new stream everything is sent, also when the client says that it has the current version."],
  [
    "52",
    "A wildcard is answered at once with what there is, also nothing; a delta client that has everything already gets no message.",
  ],
  [
    "53, 73",
    "In SotW nothing is said of names that do not exist. In delta they are in `removed_resources`, and in `resource_errors` with NOT_FOUND.",
  ],
  [
    "63",
    "In delta the removal of endpoints waits, as that of clusters does, until listeners and routes are ACKed; 15 s at most.",
  ],
  [
    "66",
    "One response a type and stream is without an ACK. A response that is not answered is taken for lost after 15 s (`FAIRLEAD_ACK_TIMEOUT`).",
  ],
  [
    "68, 69",
    "Resources have no TTL, so there are no heartbeats, and SotW resources are never wrapped. What is compiled stays in force when the control plane is away: that is meant.",
  ],
  ["70", "The compiler gives a resource one name; there are no aliases."],
  [
    "71, 72",
    "Context parameters are compared sorted, and a directive behind `#` is cut off. Globs are served in delta. Resource locators are ignored.",
  ],
  [
    "–",
    "Fetch (REST or unary gRPC) is not served: it has no ACK, so nobody could tell that a proxy converged. The methods answer UNIMPLEMENTED.",
  ],
];

function cell(result: boolean | undefined): string {
  if (result === undefined) return "–";
  return result ? "pass" : "**FAIL**";
}

function outcome({ exitCode, summary }: ScriptResult): string {
  if (exitCode === 0) return summary;
  return exitCode === 2 ? `not run (${summary})` : `**FAILED**: ${summary}`;
}

/** The reference page, from a run. It has no times in it: an equal run writes an equal page. */
export function conformancePage(rules: CollectedRules, clients: readonly RealClient[]): string {
  const rows = rules.statements.map(({ rule, says, results }) => {
    const inside = rules.stateMachine.get(rule);
    const unit =
      inside === undefined ? "–" : inside.failed === 0 ? `${inside.passed} pass` : `**${inside.failed} FAIL**`;
    const cells = wires.map((wire: Wire) => cell(results.get(wire)));
    return `| ${[String(rule), says.replaceAll("|", "\\|"), ...cells, unit].join(" | ")} |`;
  });
  const missing = rules.missing.map((rule) => `| ${rule} | **no test** | | | | | |`);
  return `# xDS conformance

Written by \`npm run conformance:xds\` from its run; do not edit. The rules are those of the xDS protocol (xds_protocol.rst and
discovery.proto of Envoy, the xDS transport protocol papers TP1 to TP3), numbered; each line is a test of that name.

${rules.covered} of ${rules.total} rules have tests; ${rules.failures.length === 0 && rules.missing.length === 0 ? "all pass" : `${rules.failures.length} tests fail`}.

A wire test is a gRPC client of ours at a whole gateway in one process. *State machine* counts the tests of
\`libs/mesh/xds-stream\` that name the rule. "–": the rule does not concern it.

| rule | what is tested | SotW, ADS | SotW, single type | delta, ADS | delta, single type | state machine |
|---:|---|---|---|---|---|---|
${[...rows, ...missing].join("\n")}

## Clients of others

Unmodified, against the gateway and what the compiler makes.

| client | variant | result |
|---|---|---|
${clients.map((client) => `| ${client.client} | ${client.variant} | ${outcome(client)} |`).join("\n")}

## What was chosen, and what is not done

| rules | |
|---|---|
${choices.map(([numbers, choice]) => `| ${numbers} | ${choice} |`).join("\n")}
`;
}
