import type { Socket } from "node:net";
import {
  ConnectionManager,
  type ConnectionManagerConfig,
  type ConnectionManagerContext,
  type HttpStats,
} from "@fairlead/proxy-filter";
import { detectRpc } from "@fairlead/proxy-stream";
import type { RuntimeLogger } from "./runtime-options.ts";
import type { TranslatedRpcProxy } from "./translate/rpc-proxy.ts";

/** What an unknown connection began with, in the log. */
const SHOWN_BYTES = 16;

export interface RpcEntranceOptions {
  readonly listener: string;
  readonly stats: HttpStats;
  readonly context: ConnectionManagerContext;
  readonly logger: RuntimeLogger;
}

/** Takes the connections of a chain that begin with a call of an RPC protocol. */
export class RpcEntrance {
  readonly manager: ConnectionManager;
  readonly #options: RpcEntranceOptions;
  #translated: TranslatedRpcProxy;
  /** Those that have not said yet what they speak. */
  readonly #undecided = new Set<() => void>();

  constructor(translated: TranslatedRpcProxy, config: ConnectionManagerConfig, options: RpcEntranceOptions) {
    this.#translated = translated;
    this.#options = options;
    this.manager = new ConnectionManager(config, options.stats, options.context);
  }

  update(translated: TranslatedRpcProxy, config: ConnectionManagerConfig): void {
    this.#translated = translated;
    this.manager.update(config);
  }

  /** @param otherwise gets what speaks another protocol, paused, its bytes unread; undefined: it is closed */
  serve(socket: Socket, otherwise: ((socket: Socket) => void) | undefined): void {
    const { stats } = this.#options;
    const close = detectRpc(socket, this.#translated.protocols, {
      timeoutMs: this.manager.config.headersTimeoutMs,
      onKnown: (protocol, first) => {
        this.#undecided.delete(close);
        if (protocol !== undefined) {
          this.manager.serve(socket, protocol.name);
          // It listens now, and reads what came as if it came now.
          socket.emit("data", first);
        } else if (otherwise !== undefined) {
          socket.pause();
          socket.unshift(first);
          otherwise(socket);
        } else this.#refuse(socket, first);
      },
      onGone: (silent) => {
        this.#undecided.delete(close);
        if (silent) stats.downstream_rq_header_timeout++;
      },
    });
    this.#undecided.add(close);
  }

  destroy(): void {
    for (const close of this.#undecided) close();
    this.manager.destroy();
  }

  #refuse(socket: Socket, first: Buffer): void {
    const { listener, logger, stats } = this.#options;
    stats.downstream_cx_protocol_error++;
    const names = this.#translated.protocols.map(({ name }) => name).join(", ");
    logger.warn(
      { listener, client: socket.remoteAddress, first_bytes: first.subarray(0, SHOWN_BYTES).toString("hex") },
      `a connection speaks none of ${names}: closed`,
    );
    socket.on("error", () => undefined);
    socket.destroy();
  }
}
