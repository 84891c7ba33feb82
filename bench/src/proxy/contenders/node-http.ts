import { join } from "node:path";
import type { Contender } from "./contender.ts";

/** What the shortest proxy of Node's own HTTP costs: no routes, no retries, no statistics. */
export const nodeHttp: Contender = {
  name: "node:http",
  note: "Node's own HTTP server and client, without routes, retries or statistics",
  takes: ({ id }) => id === "http1-1k",
  command: (_what, { port, backendPort }) => [
    process.execPath,
    join(import.meta.dirname, "node-http-proxy.ts"),
    String(port),
    String(backendPort),
  ],
};
