import assert from "node:assert/strict";
import { test } from "node:test";
import { HeaderMap, type RequestHead, type ResetReason } from "@fairlead/proxy-stream";
import { renderLocalReply } from "./local-reply.ts";
import { resetReply } from "./reset-reply.ts";

function request(...headers: string[]): RequestHead {
  return { method: "POST", path: "/", authority: "a", scheme: "http", headers: new HeaderMap(headers) };
}

test("HTTP gets text, gRPC a trailers-only response", () => {
  const reply = { status: 503, body: "no healthy upstream: é", details: "x" } as const;
  const http = renderLocalReply(reply, request());
  assert.deepEqual(http.head.headers.fields, ["content-length", "23", "content-type", "text/plain"]);
  assert.equal(http.body, reply.body);
  const grpc = renderLocalReply(reply, request("content-type", "application/grpc+proto"));
  assert.equal(grpc.head.status, 200);
  assert.equal(grpc.head.headers.get("grpc-status"), "14");
  assert.equal(grpc.head.headers.get("grpc-message"), "no healthy upstream%3A %C3%A9");
  assert.equal(grpc.body, "");
});

const rows: readonly (readonly [ResetReason, transport: string, retried: boolean, status: number, flag: string, text: string, details: string])[] = [
  ["remote connection failure", "delayed connect error: Connection refused", false, 503, "UF",
    "reset reason: remote connection failure, transport failure reason: delayed connect error: Connection refused",
    "{remote_connection_failure|delayed_connect_error:_Connection_refused}"],
  ["connection timeout", "", true, 503, "UF", "retried and the latest reset reason: connection timeout", "{connection_timeout}"],
  ["connection termination", "ECONNRESET", false, 503, "UC", "reset reason: connection termination", "{connection_termination|ECONNRESET}"],
  ["protocol error", "http1.codec_error: x", false, 502, "UPE", "reset reason: protocol error", "{protocol_error|http1.codec_error:_x}"],
  ["local connection failure", "", false, 503, "UF", "reset reason: local connection failure", "{local_connection_failure}"],
  ["local reset", "", false, 503, "LR", "reset reason: local reset", "{local_reset}"],
  ["local refused stream reset", "", false, 503, "LR", "reset reason: local refused stream reset", "{local_refused_stream_reset}"],
  ["remote reset", "", false, 503, "UR", "reset reason: remote reset", "{remote_reset}"],
  ["remote refused stream reset", "", false, 503, "UR", "reset reason: remote refused stream reset", "{remote_refused_stream_reset}"],
  ["remote error with CONNECT request", "", false, 503, "UR", "reset reason: remote error with CONNECT request", "{remote_error_with_CONNECT_request}"],
  ["overload manager reset", "", false, 503, "OM", "reset reason: overload manager reset", "{overload_manager_reset}"],
  ["overflow", "", false, 503, "UO", "reset reason: overflow", "{overflow}"],
]; // prettier-ignore

test("a reset before the response is told in Envoy's words", () => {
  for (const [reason, transport, retried, status, flag, text, details] of rows) {
    const reply = resetReply(reason, transport, retried);
    assert.equal(reply.status, status);
    assert.equal(reply.flag, flag);
    assert.equal(reply.body, `upstream connect error or disconnect/reset before headers. ${text}`);
    assert.equal(reply.details, `upstream_reset_before_response_started${details}`);
    assert.deepEqual(reply.headers, reason === "overflow" ? ["x-envoy-overloaded", "true"] : undefined);
  }
});
