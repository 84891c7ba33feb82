import { createServer, request, type Server } from "node:http";
import { createServer as createHttp2Server, type Http2Server } from "node:http2";

/** An application that answers every call with its name. */
export interface TestBackend {
  readonly name: string;
  readonly port: number;
  stop(): void;
}

async function listen(name: string, server: Server | Http2Server): Promise<TestBackend> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("no address");
  return { name, port: address.port, stop: () => server.close() };
}

export async function startHttp1Backend(name: string): Promise<TestBackend> {
  return await listen(
    name,
    createServer((_request, response) => response.end(name)),
  );
}

export async function startHttp2Backend(name: string): Promise<TestBackend> {
  return await listen(
    name,
    createHttp2Server((_request, response) => response.end(name)),
  );
}

export interface TestAnswer {
  readonly status: number;
  readonly body: string;
}

/** A call through a proxy's listener: what is called is named by the Host. */
export async function call(port: number, host: string): Promise<TestAnswer> {
  return await new Promise((resolve, reject) => {
    const outgoing = request(
      { host: "127.0.0.1", port, path: "/", headers: { host }, agent: false, timeout: 5000 },
      (response) => {
        let body = "";
        response.setEncoding("utf8");
        response.on("data", (text: string) => (body += text));
        response.on("end", () => resolve({ status: response.statusCode ?? 0, body }));
        response.on("error", reject);
      },
    );
    outgoing.on("timeout", () => outgoing.destroy(new Error("no answer within 5 s")));
    outgoing.on("error", reject);
    outgoing.end();
  });
}
