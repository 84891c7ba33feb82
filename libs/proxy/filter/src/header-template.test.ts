import assert from "node:assert/strict";
import { test } from "node:test";
import { HeaderMap } from "@fairlead/proxy-stream";
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

test("what is not known is refused", () => {
  for (const text of ["%", "50% off", "%REQ%", "%REQ(a", "%NOBODY%", "%HOSTNAME(x)%", "%DYNAMIC_METADATA(a:b)%"])
    assert.equal(compileHeaderTemplate(text), undefined, text);
});
