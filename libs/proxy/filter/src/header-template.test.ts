import assert from "node:assert/strict";
import { test } from "node:test";
import { HeaderMap } from "@fairlead/proxy-stream";
import { logOperators } from "./format/command-operators.ts";
import { compileHeaderTemplate } from "./header-template.ts";
import { StreamInfo } from "./stream-info.ts";

const info = new StreamInfo(0, { remoteAddress: "10.0.0.9", remotePort: 5, localAddress: "::1", localPort: 80 });
info.setRequest({
  method: "GET",
  path: "/p",
  authority: "shop",
  scheme: "http",
  headers: new HeaderMap(["x-a", "1", "x-bad", "a\nb"]),
});
info.cluster = "c";

test("operators say what is known of the stream", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["plain 100%%", "plain 100%"],
    ["%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT% via %UPSTREAM_CLUSTER%", "10.0.0.9 via c"],
    ["%DOWNSTREAM_LOCAL_ADDRESS%", "[::1]:80"],
    ["%REQ(X-A)%%REQ(:AUTHORITY)%", "1shop"],
    ["%REQ(x-none?:path)%|%REQ(x-none)%|", "/p||"],
    ["%REQ(:authority):2%", "sh"],
    ["%REQ(x-bad)%", "ab"],
  ];
  for (const [text, expected] of cases) {
    const template = compileHeaderTemplate(text);
    assert(template !== undefined, text);
    assert.equal(typeof template === "string" ? template : template.render(info), expected, text);
  }
});

test("what logs can say, headers can, too", () => {
  const render = (text: string): string | undefined => {
    const template = compileHeaderTemplate(text);
    return typeof template === "object" ? template.render(info) : undefined;
  };
  const refused = [...logOperators.keys()].filter((name) =>
    ["", "(a)", "(a:b)", "(ROUTE:a:b)"].every((argument) => render(`%${name}${argument}%`) === undefined),
  );
  assert.deepEqual(refused, []);
  process.env["FAIRLEAD_TEST_WHERE"] = "here";
  assert.equal(render("%ENVIRONMENT(FAIRLEAD_TEST_WHERE)%"), "here");
  assert.equal(render("%ENVIRONMENT(FAIRLEAD_TEST_NOWHERE)%"), "");
  assert.equal(render("%ACCESS_LOG_TYPE%"), "NotSet");
  assert.equal(render("%FILTER_STATE(a)%%DYNAMIC_METADATA(a:b)%"), "");
});

test("what is not known is refused", () => {
  for (const text of ["%", "50% off", "%REQ%", "%REQ(a", "%NOBODY%", "%HOSTNAME(x)%", "%METADATA(a:b)%"])
    assert.equal(compileHeaderTemplate(text), undefined, text);
});
