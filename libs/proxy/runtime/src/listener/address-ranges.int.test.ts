import assert from "node:assert/strict";
import { test } from "node:test";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { create, fromBinary } from "@bufbuild/protobuf";
import { AddressSchema } from "@fairlead/envoy-api/envoy/config/core/v3/address_pb.js";
import type { FilterChainMatchSchema } from "@fairlead/envoy-api/envoy/config/listener/v3/listener_components_pb.js";
import { ListenerSchema } from "@fairlead/envoy-api/envoy/config/listener/v3/listener_pb.js";
import { RouteConfigurationSchema } from "@fairlead/envoy-api/envoy/config/route/v3/route_pb.js";
import { call } from "../testing/client.ts";
import { TestProxy } from "../testing/proxy.ts";
import { listener } from "../testing/resources.ts";

type MatchInit = Extract<MessageInitShape<typeof FilterChainMatchSchema>, { readonly $typeName?: undefined }>;

const range = (addressPrefix: string, prefixLen: number) => ({ addressPrefix, prefixLen });

/** A chain that answers itself, with its name. */
function chain(name: string, filterChainMatch: MatchInit) {
  const body = { specifier: { case: "inlineString" as const, value: name } };
  const routeConfig = create(RouteConfigurationSchema, {
    virtualHosts: [
      {
        name: "all",
        domains: ["*"],
        routes: [
          {
            match: { pathSpecifier: { case: "prefix", value: "/" } },
            action: { case: "directResponse", value: { status: 200, body } },
          },
        ],
      },
    ],
  });
  const whole = listener("in", 0, { routeSpecifier: { case: "routeConfig", value: routeConfig } });
  const { filters = [] } = fromBinary(ListenerSchema, whole.body).filterChains[0] ?? {};
  return { filters, filterChainMatch };
}

const address = create(AddressSchema, {
  address: { case: "socketAddress", value: { address: "0.0.0.0", portSpecifier: { case: "portValue", value: 0 } } },
});

test("chains are chosen by the ranges of where a connection goes and comes from, the longest first", async () => {
  await using proxy = await TestProxy.start({
    listeners: [
      listener(
        "in",
        0,
        {},
        {
          address,
          filterChains: [
            chain("any", {}),
            chain("to a network", { prefixRanges: [range("127.0.3.0", 24), range("10.0.0.0", 8)] }),
            chain("to a host", { prefixRanges: [range("127.0.3.7", 32)] }),
            chain("from a network", { sourcePrefixRanges: [range("127.0.4.0", 24)] }),
            chain("from a host", { sourcePrefixRanges: [range("127.0.4.7", 32)] }),
            chain("from a host to a network", {
              prefixRanges: [range("127.0.3.0", 24)],
              sourcePrefixRanges: [range("127.0.4.7", 32)],
            }),
          ],
        },
      ),
    ],
  });
  for (const [from, to, expected] of [
    ["127.0.0.1", "127.0.0.1", "any"],
    ["127.0.0.1", "127.0.2.255", "any"],
    ["127.0.0.1", "127.0.3.255", "to a network"],
    ["127.0.0.1", "127.0.3.7", "to a host"],
    ["127.0.4.1", "127.0.0.1", "from a network"],
    ["127.0.5.1", "127.0.0.1", "any"],
    ["127.0.4.7", "127.0.0.1", "from a host"],
    ["127.0.4.7", "127.0.3.1", "from a host to a network"],
    // Where it goes is asked first.
    ["127.0.4.7", "127.0.3.7", "to a host"],
  ] as const) {
    const { body } = await call(proxy.port("in"), { localAddress: from, host: to, agent: false });
    assert.equal(body, expected, `${from} to ${to}`);
  }
});
