import { connect, type Socket } from "node:net";
import { ByteChain } from "@fairlead/buffer";
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
    const wanted = new PartsInOrder(check.receive);
    let received = 0;
    this.#socket = connect({ host: host.address, port: host.port, noDelay: true }, () => {
      if (check.send.length > 0) this.#socket.write(check.send);
      if (check.receive.length === 0) this.#end("pass");
    });
    this.#socket.on("data", (chunk: Buffer) => {
      received += chunk.length;
      if (wanted.foundWith(chunk)) this.#end("pass");
      else if (received > MAX_BYTES) this.#end("bad answer");
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

/** Looks for parts, one behind the other, in bytes that come piece by piece: keeps no more of them than the beginning of a part. */
class PartsInOrder {
  readonly #parts: readonly Buffer[];
  readonly #rest = new ByteChain();
  #found = 0;

  constructor(parts: readonly Buffer[]) {
    this.#parts = parts;
  }

  /** @returns whether all have been found */
  foundWith(chunk: Buffer): boolean {
    this.#rest.add(chunk);
    for (; this.#found < this.#parts.length; this.#found++) {
      const part = this.#parts[this.#found]!;
      const at = this.#rest.peek().indexOf(part);
      if (at === -1) {
        this.#rest.drain(Math.max(0, this.#rest.length - (part.length - 1)));
        return false;
      }
      this.#rest.drain(at + part.length);
    }
    return true;
  }
}
