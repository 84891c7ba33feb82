import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { ProxyProtocolSchema } from "@fairlead/envoy-api/envoy/extensions/filters/listener/proxy_protocol/v3/proxy_protocol_pb.js";
import { LoggedLines } from "../testing/access-logs.ts";
import { TestProxy } from "../testing/proxy.ts";
import { listener, routes } from "../testing/resources.ts";

type Rules = NonNullable<MessageInitShape<typeof ProxyProtocolSchema>["rules"]>;

const listenerFilters = (rules: Rules) => [
  {
    name: "proxy",
    configType: {
      case: "typedConfig" as const,
      value: anyPack(ProxyProtocolSchema, create(ProxyProtocolSchema, { rules })),
    },
  },
];

/** Version 2, of a balancer that says these things besides the addresses. */
function header(tlvs: readonly (readonly [type: number, value: string])[]): Buffer {
  const said = tlvs.map(([type, value]) => Buffer.concat([Buffer.from([type, 0, value.length]), Buffer.from(value)]));
  const rest = Buffer.concat([Buffer.from([10, 0, 0, 1, 10, 0, 0, 2, 0, 80, 0, 81]), ...said]);
  const start = Buffer.from([0x21, 0x11, rest.length >> 8, rest.length & 255]);
  return Buffer.concat([Buffer.from("\r\n\r\n\0\r\nQUIT\n"), start, rest]);
}

test("what a balancer says of a connection is its metadata, where a rule wants it", async () => {
  await using lines = await LoggedLines.start();
  const format = [
    "%DYNAMIC_METADATA(envoy.filters.listener.proxy_protocol:endpoint)%",
    "%METADATA(DYNAMIC:shop:name)%",
    "%DYNAMIC_METADATA(shop)%",
  ].join(" ");
  const rules = [
    { tlvType: 0xea, onTlvPresent: { key: "endpoint" } },
    { tlvType: 2, onTlvPresent: { metadataNamespace: "shop", key: "name" } },
  ];
  const proxy = await TestProxy.start({
    listeners: [listener("in", 0, { accessLog: [lines.text(format)] }, { listenerFilters: listenerFilters(rules) })],
    routes: [routes("in")],
  });
  for (const tlvs of [
    [
      [0xea, "vpce-1"],
      [2, "shop.example"],
      [4, "of no rule"],
    ],
    [],
  ] as const) {
    const socket = connect(proxy.port("in"), "127.0.0.1");
    socket.write(Buffer.concat([header(tlvs), Buffer.from("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")]));
    await once(socket.resume(), "close");
  }
  await proxy.runtime.close();
  assert.deepEqual(await lines.read(), ["vpce-1 shop.example {\\x22name\\x22:\\x22shop.example\\x22}", "- - -"]);
});

test("a rule without a key is refused", async () => {
  await using proxy = new TestProxy();
  const filters = listenerFilters([{ tlvType: 1 }]);
  const [refusal] = await proxy.apply({ listeners: [listener("in", 0, {}, { listenerFilters: filters })] });
  assert.match(refusal?.reason ?? "", /rules\[0\]\.on_tlv_present\.key: is empty/);
});
