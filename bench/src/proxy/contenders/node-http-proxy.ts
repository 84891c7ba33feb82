/** `node node-http.ts <port> <backend port>`: the shortest proxy that Node's own HTTP client and server make. */
import { Agent, createServer, request } from "node:http";

const [port, backendPort] = process.argv.slice(2).map(Number);
const agent = new Agent({ keepAlive: true });
createServer((incoming, outgoing) => {
  const upstream = request(
    {
      host: "127.0.0.1",
      port: backendPort,
      agent,
      method: incoming.method,
      path: incoming.url,
      headers: incoming.headers,
    },
    (response) => {
      outgoing.writeHead(response.statusCode ?? 502, response.headers);
      response.pipe(outgoing);
    },
  );
  upstream.on("error", () => outgoing.writeHead(502).end());
  incoming.pipe(upstream);
}).listen(port, "127.0.0.1");
