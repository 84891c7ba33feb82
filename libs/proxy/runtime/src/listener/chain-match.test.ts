import assert from "node:assert/strict";
import { test } from "node:test";
import type { ConnectionFacts } from "@fairlead/proxy-filter";
import { asksNothing, type ChainMatch, chooseChain, matchesAny } from "./chain-match.ts";

const facts: ConnectionFacts = {
  localAddress: "192.0.2.1",
  localPort: 443,
  localRestored: false,
  remoteAddress: "203.0.113.7",
  remotePort: 51_234,
  directRemoteAddress: "10.0.0.9",
  directRemotePort: 999,
  listenerPort: 443,
  tls: true,
  serverName: "a.shop.example",
  alpn: ["h2", "http/1.1"],
};

const range = (address: string, prefixLength: number) => [{ address, prefixLength }];

/** In Envoy's order: each is more exact than the other in a respect that comes before the other's. */
const exact: readonly (readonly [string, Partial<ChainMatch>])[] = [
  ["port", { destinationPort: 443 }],
  ["destination", { destinations: range("192.0.2.0", 24) }],
  ["server name", { serverNames: ["*.shop.example"] }],
  ["transport", { transport: "tls" }],
  ["ALPN", { alpn: ["h2"] }],
  ["direct source", { directSources: range("10.0.0.0", 8) }],
  ["source type", { sourceType: "external" }],
  ["source", { sources: range("203.0.113.0", 24) }],
  ["source port", { sourcePorts: [51_234] }],
];

test("of two chains that fit, the one that is exact in the earlier respect takes the connection", () => {
  for (const [i, [name, match]] of exact.entries()) {
    const later = exact.slice(i + 1).map(([, one]) => one);
    const chains = [
      { name: "any", match: matchesAny },
      { name: "all later ones", match: Object.assign({}, matchesAny, ...later) as ChainMatch },
      { name, match: { ...matchesAny, ...match } },
    ];
    assert.equal(chooseChain(chains, facts)?.name, name);
    assert.equal(asksNothing({ ...matchesAny, ...match }), false, name);
  }
  assert.equal(asksNothing(matchesAny), true);
});

test("the client that a balancer speaks for is the source, the balancer the direct source", () => {
  const chain = (match: Partial<ChainMatch>) => chooseChain([{ match: { ...matchesAny, ...match } }], facts);
  assert.equal(chain({ sources: range("10.0.0.0", 8) }), undefined);
  assert.equal(chain({ directSources: range("203.0.113.0", 24) }), undefined);
});

test("who comes from this machine is told from others", () => {
  const typeOf = (change: Partial<ConnectionFacts>): string | undefined =>
    chooseChain(
      (["local", "external"] as const).map((sourceType) => ({ match: { ...matchesAny, sourceType } })),
      { ...facts, ...change },
    )?.match.sourceType;
  assert.equal(typeOf({}), "external");
  assert.equal(typeOf({ remoteAddress: "127.0.0.1" }), "local");
  assert.equal(typeOf({ remoteAddress: "::1" }), "local");
  assert.equal(typeOf({ remoteAddress: "192.0.2.1" }), "local");
});
