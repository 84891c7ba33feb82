import { typeUrls } from "@fairlead/envoy-api";
import { markers } from "../marker.ts";
import type { Arrivals } from "./arrivals.ts";
import type { Contents } from "./contents.ts";
import type { Counters } from "./counters.ts";
import { NameSet } from "./name-set.ts";
import { readHead, type ResponseHead } from "./response.ts";
import { encodeNode, encodeRequest, type RequestParts, type Variant } from "./variant.ts";

/** `silent` opens its stream and never reads; `refusing` answers each response with a NACK. */
export type Behaviour = "good" | "silent" | "refusing";

/** What all proxies of a load share. */
export interface LoadContext {
  readonly variant: Variant;
  readonly contents: Contents;
  readonly arrivals: Arrivals;
  readonly counters: Counters;
  /** A proxy has ACKed all that it asked for on its stream. */
  readonly onComplete: (proxy: SimulatedProxy) => void;
}

const routes = new NameSet(["outbound"]);
const refusal = "this client refuses everything";

/**
 * One proxy as the server sees it: wildcard clusters and listeners, the endpoints of all clusters, its routes. It keeps no resource,
 * only names and versions.
 */
export class SimulatedProxy {
  readonly behaviour: Behaviour;
  readonly nodeId: string;
  /** The newest change that it has of each marker. */
  readonly marks = new Uint16Array(markers);
  readonly #context: LoadContext;
  #send: (request: Buffer) => void = () => undefined;
  /** SotW: the last ACKed version, by type. */
  readonly #versions = new Map<string, string>();
  #clusters: NameSet | undefined;
  /** Delta: names and versions of what it held when its last stream ended, by type. */
  readonly #held = new Map<string, Buffer>();
  // Of this stream.
  #named = false;
  #askedForEndpoints = false;
  #assignments = 0;
  #hasRoutes = false;
  #complete = false;
  #brought = false;

  constructor(nodeId: string, behaviour: Behaviour, context: LoadContext) {
    this.nodeId = nodeId;
    this.behaviour = behaviour;
    this.#context = context;
  }

  /** A new stream: subscribes, and says what the proxy holds from the last one. */
  begin(send: (request: Buffer) => void): void {
    this.#send = send;
    this.#named = false;
    this.#askedForEndpoints = false;
    this.#assignments = 0;
    this.#hasRoutes = false;
    this.#complete = this.#held.size > 0;
    this.#brought = false;
    this.#context.counters.streams += 1;
    this.#request(typeUrls.cluster, this.#subscription(typeUrls.cluster));
    this.#request(typeUrls.listener, this.#subscription(typeUrls.listener));
    if (this.#clusters !== undefined) this.#askForEndpoints();
    this.#request(typeUrls.route, this.#subscription(typeUrls.route));
  }

  /** The stream is lost; what it brought is kept. */
  end(): void {
    const { contents, variant } = this.#context;
    // A stream that was refused brought nothing: what was held before it is held still.
    if (variant === "sotw" || !this.#brought) return;
    this.#held.clear();
    // Versions are kept once for all proxies: one that is behind the others does not say that it holds theirs.
    if (!this.#complete || !contents.isNewest(this.marks)) return;
    for (const typeUrl of [typeUrls.cluster, typeUrls.endpoint, typeUrls.route]) {
      const names = typeUrl === typeUrls.route ? routes : this.#clusters;
      if (names !== undefined) this.#held.set(typeUrl, names.known(contents.versions(typeUrl)));
    }
  }

  receive(message: Buffer): void {
    const { counters, contents, variant } = this.#context;
    const head = readHead(message);
    counters.received(head, message.byteLength);
    const { held, marks } = contents.of(message, head);
    this.#answer(head);
    this.#brought ||= head.resources > 0;
    if (head.typeUrl === typeUrls.cluster && (variant === "sotw" || this.#clusters === undefined)) {
      const changed = this.#clusters?.encoded.equals(held.encoded) !== true;
      this.#clusters = held;
      if (changed || !this.#askedForEndpoints) this.#askForEndpoints();
    }
    if (this.behaviour === "refusing") return;
    if (head.typeUrl === typeUrls.route) this.#hasRoutes ||= head.resources > 0;
    if (head.typeUrl === typeUrls.endpoint) this.#assignments += head.resources;
    for (const [marker, mark] of marks) this.#mark(marker, mark);
    this.#lookWhetherComplete();
  }

  #answer({ typeUrl, nonce, version }: ResponseHead): void {
    const { variant, counters } = this.#context;
    if (this.behaviour === "refusing") counters.nacks += 1;
    else {
      counters.acks += 1;
      if (variant === "sotw") this.#versions.set(typeUrl, version);
    }
    // SotW says in each request all that it subscribes to; delta only what is new.
    const names = variant === "sotw" ? this.#names(typeUrl)?.encoded : undefined;
    this.#request(typeUrl, {
      nonce,
      names,
      version: this.#versions.get(typeUrl),
      ...(this.behaviour === "refusing" ? { refusal } : {}),
    });
  }

  #askForEndpoints(): void {
    this.#askedForEndpoints = true;
    this.#request(typeUrls.endpoint, this.#subscription(typeUrls.endpoint));
  }

  #names(typeUrl: string): NameSet | undefined {
    if (typeUrl === typeUrls.endpoint) return this.#clusters;
    return typeUrl === typeUrls.route ? routes : undefined;
  }

  /** The first request of a type on a stream. */
  #subscription(typeUrl: string): RequestParts {
    const names = this.#names(typeUrl)?.encoded;
    return { names, version: this.#versions.get(typeUrl), known: this.#held.get(typeUrl) };
  }

  #mark(marker: number, mark: number): void {
    const before = this.marks[marker] ?? 0;
    if (mark <= before) return;
    this.marks[marker] = mark;
    this.#context.arrivals.arrived(marker, before, mark);
  }

  #lookWhetherComplete(): void {
    if (this.#complete || !this.#hasRoutes || this.#clusters === undefined) return;
    if (this.#assignments < this.#clusters.names.length) return;
    this.#complete = true;
    this.#context.onComplete(this);
  }

  #request(typeUrl: string, parts: RequestParts): void {
    const node = this.#named ? undefined : encodeNode(this.nodeId);
    this.#named = true;
    this.#send(encodeRequest(this.#context.variant, typeUrl, { ...parts, node }));
  }
}
