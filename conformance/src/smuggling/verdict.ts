import { connect } from "node:net";
import type { RecordingHost } from "@fairlead/proxy-runtime/testing/recording-host";
import { type HostileRow, LAST } from "@fairlead/proxy-runtime/testing/smuggling-rows";

/** What became of one row behind one proxy. */
export interface Verdict {
  /** Of the answers in their order, `-` for none. */
  readonly statuses: string;
  /** That the host read. */
  readonly requests: number;
}

/** @param host is behind the proxy */
export async function verdictOf(row: HostileRow, port: number, host: RecordingHost): Promise<Verdict> {
  host.clear();
  const answers = await exchange(port, row.refused === undefined ? row.bytes + LAST : row.bytes);
  const statuses = [...answers.matchAll(/HTTP\/1\.[01] (\d{3}) /g)].map((match) => match[1]);
  return { statuses: statuses.length === 0 ? "-" : statuses.join(" "), requests: host.requests.length };
}

function exchange(port: number, bytes: string): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    const socket = connect(port, "127.0.0.1", () => socket.write(bytes, "latin1"));
    socket.setTimeout(300, () => socket.destroy());
    socket.on("data", (chunk: Buffer) => (text += chunk.toString("latin1")));
    socket.on("error", () => undefined);
    socket.on("close", () => resolve(text));
  });
}
