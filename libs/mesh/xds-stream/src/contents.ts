import type { CompiledResource, ResourceView } from "@fairlead/snapshot";
import type { RevisionRange } from "./revision-range.ts";
import type { SubscriptionChange } from "./subscription.ts";

/** What one response is to carry. */
export interface ResponsePlan {
  readonly resources: readonly CompiledResource[];
  /** version_info: of the client's view of the type once it has applied the response. */
  readonly versionInfo: string;
}

export interface PlanOptions {
  /** Keep what the client holds and the view has lost. Only full sets can. */
  readonly keepLost: boolean;
  /** Partial types are split at about this size; the rest follows after the ACK. Bytes. */
  readonly maxBytes: number;
}

/**
 * What the client of one type holds, and what it is still to be sent. Work is first announced, which decides whether it is
 * work at all, and sent only once released: the gateway waits in between for more changes.
 */
export interface Contents {
  /** Something is released and not sent. */
  readonly due: boolean;
  /** Something is released or announced, and not sent. */
  readonly hasWork: boolean;
  /** Something was asked for by name, or for the first time: it is sent although the client may have it. */
  readonly owed: boolean;
  /** Resources that the client was sent and not told to forget. */
  readonly count: number;
  /** @returns the revisions of what is owed for it; undefined when nothing is */
  subscribe(change: SubscriptionChange, view: ResourceView, revision: number): RevisionRange | undefined;
  /** @returns whether one of the names has a content that the client was not sent */
  announce(names: ReadonlySet<string>, view: ResourceView): boolean;
  release(): void;
  /** @returns undefined when nothing is to be sent; what turned out to be no work is forgotten */
  plan(view: ResourceView, options: PlanOptions): ResponsePlan | undefined;
  sent(plan: ResponsePlan): void;
  /** What was refused together with something that is now taken becomes due again. */
  acked(plan: ResponsePlan): void;
  /** Not sent again until its content changes (rule 15). */
  refused(plan: ResponsePlan): void;
  /** Whether the client refuses something that is still wanted. */
  readonly refusing: boolean;
  /** The response is taken for lost: what it carried is to be sent again with the next one. */
  lost(plan: ResponsePlan): void;
}
