import { connect, type Socket } from "node:net";
import type { Probe, ProbeResult } from "./probe.ts";

/** A host that sends more without what is looked for does not speak what was thought. */
const MAX_BYTES = 64 * 1024;

/** Whether a host accepts a connection and, where that is asked for, answers with certain bytes. */
export class TcpProbe implements Probe {
  readonly #socket: Socket;
  readonly #done: (result: ProbeResult) => void;
  #over = false;

  constructor(
    host: { readonly address: string; readonly port: number },
    check: { readonly send: Buffer; readonly receive: readonly Buffer[] },
    done: (result: ProbeResult) => void,
  ) {
    this.#done = done;
    let received = Buffer.alloc(0);
    this.#socket = connect({ host: host.address, port: host.port, noDelay: true }, () => {
      if (check.send.length > 0) this.#socket.write(check.send);
      if (check.receive.length === 0) this.#end("pass");
    });
    this.#socket.on("data", (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      if (holdsInOrder(received, check.receive)) this.#end("pass");
      else if (received.length > MAX_BYTES) this.#end("bad answer");
    });
    this.#socket.on("error", () => this.#end("network failure"));
    this.#socket.on("close", () => this.#end("network failure"));
  }

  cancel(): void {
    this.#over = true;
    this.#socket.destroy();
  }

  #end(result: ProbeResult): void {
    if (this.#over) return;
    this.cancel();
    this.#done(result);
  }
}

function holdsInOrder(bytes: Buffer, parts: readonly Buffer[]): boolean {
  let from = 0;
  for (const part of parts) {
    const at = bytes.indexOf(part, from);
    if (at === -1) return false;
    from = at + part.length;
  }
  return true;
}
