import { connect, type Socket } from "node:net";
import { Worker } from "node:worker_threads";

/** Listens, says on which port, and never runs again. */
const source = `
  const { parentPort } = require("node:worker_threads");
  const server = require("node:net").createServer().listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => {
    parentPort.postMessage(server.address().port);
    setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0));
  });`;
const ANSWERED_WITHIN_MS = 250;

/** A server that nobody can connect to: its thread is stuck, and what the system accepts for it is full. */
export class StuckServer implements AsyncDisposable {
  readonly port: number;
  readonly #worker: Worker;
  readonly #accepted: readonly Socket[];

  private constructor(port: number, worker: Worker, accepted: readonly Socket[]) {
    this.port = port;
    this.#worker = worker;
    this.#accepted = accepted;
  }

  static async start(): Promise<StuckServer> {
    const worker = new Worker(source, { eval: true });
    const port = await new Promise<number>((resolve) => worker.once("message", resolve));
    const sockets: Socket[] = [];
    // Linux takes some more than the backlog; to what does not fit it says nothing.
    for (let full = false; !full;) {
      const socket = connect(port, "127.0.0.1");
      socket.on("error", () => undefined);
      sockets.push(socket);
      full = await new Promise((resolve) => {
        const timer = setTimeout(() => resolve(true), ANSWERED_WITHIN_MS);
        socket.once("connect", () => {
          clearTimeout(timer);
          resolve(false);
        });
      });
    }
    return new StuckServer(port, worker, sockets);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#accepted) socket.destroy();
    await this.#worker.terminate();
  }
}
