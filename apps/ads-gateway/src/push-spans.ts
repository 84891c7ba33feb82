import { startSpan } from "@fairlead/telemetry";
import type { PendingOfType } from "@fairlead/xds-stream";
import { type Span, SpanStatusCode } from "@opentelemetry/api";

/** Changes of one proxy that are traced at the same time; of further ones only the newest are. */
const maxOpen = 32;

interface OpenPush {
  readonly revision: number;
  readonly startedAt: number;
  readonly span: Span;
}

/** One span `ads.push` a proxy and change: from the change's arrival to the proxy's last ACK of it. */
export class PushSpans {
  readonly #nodeId: string;
  readonly #onConverged: (milliseconds: number) => void;
  #open: OpenPush[] = [];

  constructor(options: { readonly nodeId: string; readonly onConverged: (milliseconds: number) => void }) {
    this.#nodeId = options.nodeId;
    this.#onConverged = options.onConverged;
  }

  begin(change: { readonly revision: number; readonly traceparent: string | undefined; readonly types: number }): void {
    const attributes = {
      "fairlead.node": this.#nodeId,
      "fairlead.revision": change.revision,
      "fairlead.types": change.types,
    };
    const span = startSpan("ads.push", attributes, change.traceparent);
    this.#open.push({ revision: change.revision, startedAt: performance.now(), span });
    if (this.#open.length > maxOpen) this.#end(this.#open.shift(), "merged into later changes");
  }

  /** To be called after each answer of the proxy, with what it has not ACKed. */
  settle(pending: readonly PendingOfType[]): void {
    this.#open = this.#open.filter((push) => {
      const keeping = pending.filter((entry) => entry.first <= push.revision && push.revision <= entry.last);
      if (keeping.some((entry) => entry.state !== "NACKED")) return true;
      this.#end(push, keeping[0]?.detail);
      if (keeping.length === 0) this.#onConverged(performance.now() - push.startedAt);
      return false;
    });
  }

  endAll(reason: string): void {
    for (const push of this.#open.splice(0)) this.#end(push, reason);
  }

  #end(push: OpenPush | undefined, failure: string | undefined): void {
    if (failure !== undefined) push?.span.setStatus({ code: SpanStatusCode.ERROR, message: failure });
    push?.span.end();
  }
}
