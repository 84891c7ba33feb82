import { spansAreKept, startSpan } from "@fairlead/telemetry";
import type { PendingOfType } from "@fairlead/xds-stream";
import { type Span, SpanStatusCode } from "@opentelemetry/api";

/** Pushes of one proxy that are followed at the same time; of further ones only the newest are. */
const maxOpen = 32;

interface OpenPush {
  /** Revisions. */
  readonly first: number;
  last: number;
  readonly startedAt: number;
  /** undefined where nobody gets it. */
  readonly span: Span | undefined;
}

/**
 * One span `ads.push` a proxy and push: from the arrival of the first change that it carries to the proxy's last ACK of it. It
 * is in the trace of that change.
 */
export class PushSpans {
  readonly #nodeId: string;
  readonly #onConverged: (milliseconds: number) => void;
  readonly #open: OpenPush[] = [];

  constructor(options: { readonly nodeId: string; readonly onConverged: (milliseconds: number) => void }) {
    this.#nodeId = options.nodeId;
    this.#onConverged = options.onConverged;
  }

  /** Whether a push is not ACKed. */
  get open(): boolean {
    return this.#open.length > 0;
  }

  begin(change: { readonly revision: number; readonly traceparent: string | undefined; readonly types: number }): void {
    const { revision, traceparent, types } = change;
    const span = spansAreKept()
      ? startSpan(
          "ads.push",
          { "fairlead.node": this.#nodeId, "fairlead.revision": revision, "fairlead.types": types },
          traceparent,
        )
      : undefined;
    this.#open.push({ first: revision, last: revision, startedAt: performance.now(), span });
    if (this.#open.length > maxOpen) end(this.#open.shift(), "merged into later changes");
  }

  /** A further change goes with the push that began last. */
  merge(revision: number): void {
    const push = this.#open.at(-1);
    if (push !== undefined) push.last = revision;
  }

  /** To be called after each answer of the proxy, with what it has not ACKed. */
  settle(pending: readonly PendingOfType[]): void {
    let kept = 0;
    for (const push of this.#open) {
      const keeping = pending.filter((entry) => entry.first <= push.last && push.first <= entry.last);
      if (keeping.some((entry) => entry.state !== "NACKED")) {
        this.#open[kept++] = push;
        continue;
      }
      end(push, keeping[0]?.detail);
      if (keeping.length === 0) this.#onConverged(performance.now() - push.startedAt);
    }
    this.#open.length = kept;
  }

  endAll(reason: string): void {
    for (const push of this.#open.splice(0)) end(push, reason);
  }
}

function end(push: OpenPush | undefined, failure: string | undefined): void {
  if (push?.span === undefined) return;
  if (push.last > push.first) push.span.setAttribute("fairlead.last_revision", push.last);
  if (failure !== undefined) push.span.setStatus({ code: SpanStatusCode.ERROR, message: failure });
  push.span.end();
}
