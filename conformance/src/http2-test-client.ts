/**
 * One request by the proxy's own HTTP/2: `node http2-test-client.ts http://127.0.0.1:30000/`. h2specd starts one for each of its cases.
 *
 * It ends with its connection, or 2.5 s after the response.
 */
import { connect } from "node:net";
import { HeaderMap, streamFactory } from "@fairlead/proxy-stream";

const target = new URL(process.argv[2] ?? "");
const nothing = (): void => {};

const socket = connect(Number(target.port), target.hostname, () => {
  const connection = streamFactory("http2").createClient(
    socket,
    { onStreamDone: nothing, onClosed: () => process.exit(0) },
    {},
  );
  const sender = connection.openStream({
    onHead: nothing,
    onData: nothing,
    onTrailers: nothing,
    onReset: nothing,
    onWriteBlocked: nothing,
    onWritable: nothing,
  });
  sender.sendHead(
    { method: "GET", path: target.pathname, authority: target.host, scheme: "http", headers: new HeaderMap() },
    true,
  );
  setTimeout(() => process.exit(0), 2500);
});
socket.on("error", () => process.exit(1));
