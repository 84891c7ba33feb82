import type { Socket } from "node:net";
import type { ConnectionFacts } from "@fairlead/proxy-filter";
import { tellAddresses } from "@fairlead/proxy-stream";
import type { AccessLogger } from "../access-log/access-log.ts";
import { asksNothing, chooseChain } from "./chain-match.ts";
import { changedAddresses, factsOf } from "./connection-facts.ts";
import { ConnectionLog } from "./connection-log.ts";
import { inspectConnection } from "./connection-inspection.ts";
import type { ListenerStats } from "./listener-stats.ts";
import type { SocketConsumer } from "./listening-socket.ts";
import type { ServedChain } from "./served-chain.ts";
import type { TranslatedChain } from "../translate/filter-chain.ts";
import type { TranslatedListener } from "../translate/listener.ts";

/** A listener as it is now. */
export interface ServingListener {
  readonly translated: TranslatedListener;
  readonly chains: ReadonlyMap<TranslatedChain, ServedChain>;
  /** That it listens on. */
  readonly port: number;
  /** Told of each connection when it has ended. @default none */
  readonly accessLog: AccessLogger | undefined;
}

/** How a connection gets from a listener's socket to the filter chain that serves it. */
export class ListenerEntrance {
  readonly #stats: ListenerStats;
  readonly #listener: () => ServingListener;
  readonly #otherListenerAt: (facts: ConnectionFacts) => SocketConsumer | undefined;
  readonly #now: () => number;

  /** @param otherListenerAt the one that a connection was meant for before it was sent here; @param now monotonic, in milliseconds */
  constructor(
    stats: ListenerStats,
    listener: () => ServingListener,
    otherListenerAt: (facts: ConnectionFacts) => SocketConsumer | undefined,
    now: () => number,
  ) {
    this.#stats = stats;
    this.#listener = listener;
    this.#otherListenerAt = otherListenerAt;
    this.#now = now;
  }

  accept(socket: Socket): void {
    const stats = this.#stats;
    stats.downstream_cx_total++;
    const { translated, port, accessLog } = this.#listener();
    const log = accessLog === undefined ? undefined : new ConnectionLog(socket, accessLog, this.#now);
    const { filters, inspectTimeoutMs: timeoutMs, continuesOnTimeout, handsOver } = translated;
    if (filters.length === 0) {
      this.#serve(socket, undefined, log);
      return;
    }
    const facts = factsOf(socket, port);
    stats.downstream_pre_cx_active++;
    inspectConnection(
      socket,
      facts,
      {
        filters,
        timeoutMs,
        continuesOnTimeout,
        count: (stat) => stats.ofFilters.count(stat),
        onClosed: (reason) => {
          stats.downstream_pre_cx_active--;
          if (log !== undefined && reason !== "gone") log.info.connectionTermination = `listener_filter_${reason}`;
          if (reason === "timeout") stats.downstream_pre_cx_timeout++;
          else if (reason === "gone") stats.downstream_listener_filter_remote_close++;
        },
      },
      () => {
        stats.downstream_pre_cx_active--;
        const told = changedAddresses(facts, socket);
        if (told !== undefined) {
          tellAddresses(socket, told);
          log?.knownBy(socket);
        }
        const meant = handsOver && facts.localRestored ? this.#otherListenerAt(facts) : undefined;
        if (meant === undefined) this.#serve(socket, facts, log);
        else {
          log?.handOver();
          meant.onConnection(socket);
        }
      },
    );
  }

  #serve(socket: Socket, facts: ConnectionFacts | undefined, log: ConnectionLog | undefined): void {
    // What listener filters looked at for a while is served as the listener is by then.
    const { translated, chains: served } = this.#listener();
    const { chains, defaultChain } = translated;
    const [only] = chains;
    const simple = chains.length === 1 && only !== undefined && asksNothing(only.match);
    const chosen = simple ? only : (chooseChain(chains, facts ?? factsOf(socket, 0)) ?? defaultChain);
    const chain = chosen === undefined ? undefined : served.get(chosen);
    if (chain === undefined) {
      this.#stats.no_filter_chain_match++;
      log?.noChain();
      socket.on("error", () => undefined);
      socket.destroy();
      return;
    }
    chain.serve(socket, facts, this.#stats, log);
  }
}
