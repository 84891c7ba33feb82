import type { CompiledResource, ResourceView } from "@fairlead/snapshot";
import type { RevisionRange } from "./revision-range.ts";
import type { SubscriptionChange } from "./subscription.ts";

/** What one response is to carry. */
export interface ResponsePlan {
  readonly resources: readonly CompiledResource[];
  /** Delta only: names that are gone, or that there are none of. None of them is among the resources (rule 58). */
  readonly removed: readonly string[];
  /** Delta only: those of `removed` that were asked for and do not exist. */
  readonly missing: readonly string[];
  /** version_info: of the client's view of the type once it has applied the response. */
  readonly versionInfo: string;
}

export interface PlanOptions {
  /** Keep what the client holds and the view has lost. */
  readonly keepLost: boolean;
  /** Partial types are split at about this size; the rest follows after the ACK. Bytes. */
  readonly maxBytes: number;
}

/** What a response changes at its client. */
export interface SentChange {
  /** Names that the client did not have. */
  readonly added: readonly string[];
  /** Names whose content replaces another one that the client had. */
  readonly replaced: readonly string[];
}

export interface SubscribeContext {
  readonly view: ResourceView;
  readonly revision: number;
  /** What the client has from an earlier stream. */
  readonly initialVersions: ReadonlyMap<string, string>;
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
  /** Of what the client was sent, or has from an earlier stream. */
  readonly version: string;
  /** Whether the client refuses something that is still wanted. */
  readonly refusing: boolean;
  /** @returns the revisions of what is owed for it; undefined when nothing is */
  subscribe(change: SubscriptionChange, context: SubscribeContext): RevisionRange | undefined;
  /** @returns whether one of the names has a content that the client was not sent */
  announce(names: ReadonlySet<string>, view: ResourceView): boolean;
  release(): void;
  /** @returns undefined when nothing is to be sent; what turned out to be no work is forgotten */
  plan(view: ResourceView, options: PlanOptions): ResponsePlan | undefined;
  sent(plan: ResponsePlan): SentChange;
  /** What was refused together with something that is now taken becomes due again. */
  acked(plan: ResponsePlan): void;
  /** Not sent again until its content changes (rule 15). @param names of the plan, those that are refused */
  refused(plan: ResponsePlan, names: readonly string[], view: ResourceView): void;
  /** The response is taken for lost: what it carried is to be sent again with the next one. */
  lost(plan: ResponsePlan): void;
  /** The client is to get these again although it has them: it warms what uses them (rule 64). */
  owe(names: Iterable<string>): void;
  /** Whether the client was sent the name, and not told to forget it. */
  holds(name: string): boolean;
  /** Whether a name is wanted that the client was not sent: others may refer to it. */
  lacksWanted(view: ResourceView): boolean;
  /** Whether the client holds something that the view has lost, and that it is to be told of. */
  holdsLost(view: ResourceView): boolean;
  /** Name and version of what the client was sent. */
  held(): Iterable<readonly [string, string]>;
  /** Name and version of what the client refuses. */
  refusals(): Iterable<readonly [string, string]>;
}
