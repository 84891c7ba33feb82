import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

/** A TCP relay that can be cut off as a network is: nothing gets through, and nobody is told. */
export interface TcpRelay {
  readonly address: string;
  /** Connections stay open and carry nothing; new ones too. */
  cut(): void;
  restore(): void;
  /** Ends what is open. */
  reset(): void;
  stop(): Promise<void>;
}

export async function startTcpRelay(targetPort: number): Promise<TcpRelay> {
  const sockets = new Set<Socket>();
  let cut = false;
  const pass = (from: Socket, to: Socket) => {
    sockets.add(from);
    from.on("data", (chunk: Buffer) => {
      if (!cut) to.write(chunk);
    });
    from.on("error", () => undefined);
    from.on("close", () => {
      sockets.delete(from);
      to.destroy();
    });
  };
  const server = createServer((client) => {
    const upstream = connect(targetPort, "127.0.0.1");
    pass(client, upstream);
    pass(upstream, client);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("a TCP server has an address with a port");
  const reset = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    address: `127.0.0.1:${address.port}`,
    cut: () => (cut = true),
    restore: () => (cut = false),
    reset,
    async stop() {
      server.close();
      reset();
      await once(server, "close");
    },
  };
}
