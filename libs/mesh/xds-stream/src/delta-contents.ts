import type { CompiledResource, ResourceView } from "@fairlead/snapshot";
import type { Contents, PlanOptions, ResponsePlan, SentChange, SubscribeContext } from "./contents.ts";
import { encodedSize } from "./encode-resources.ts";
import { HeldContents } from "./held-contents.ts";
import { globPrefix } from "./resource-name.ts";
import type { RevisionRange } from "./revision-range.ts";
import { sharedList } from "./shared-list.ts";
import { SharedVersions } from "./shared-versions.ts";
import type { SubscriptionChange } from "./subscription.ts";
import { takenOver, unknownVersion } from "./taken-over.ts";

/** Delta, all types: a response carries what changed for the client, and the names of what is gone. */
export class DeltaContents extends HeldContents implements Contents {
  /** An answer is due even if there is nothing to say: a new client waits for one (rule 52). */
  #owesAnswer = false;
  /** The oldest revision among what the last request is owed. */
  #oldest: number | undefined;

  override get due(): boolean {
    return this.#owesAnswer || super.due;
  }
  override get hasWork(): boolean {
    return this.#owesAnswer || super.hasWork;
  }
  override get owed(): boolean {
    return this.#owesAnswer || super.owed;
  }

  subscribe(change: SubscriptionChange, context: SubscribeContext): RevisionRange | undefined {
    const { view, revision } = context;
    this.#oldest = undefined;
    this.#giveUp(change, view);
    const gone = this.#takeOver(context);
    for (const name of change.added) this.#ask(name, view, context.initialVersions);
    if (change.wildcardBegan) {
      for (const resource of view.resources(this.typeUrl)) {
        if (this.isNews(resource)) this.#oweResource(resource);
      }
      this.#owesAnswer = !this.work.owed && this.count === 0;
    }
    for (const name of gone) this.work.owe(name);
    if (this.subscription.empty) this.work.clear();
    if (!this.owed) return undefined;
    return { first: Math.min(this.#oldest ?? revision, revision), last: revision };
  }

  #oweResource(resource: CompiledResource): void {
    this.#oldest = Math.min(this.#oldest ?? resource.revision, resource.revision);
    this.work.owe(resource.name);
  }

  #giveUp({ removed, wildcardEnded }: SubscriptionChange, view: ResourceView): void {
    // Rule 48: one who gives up a name beside a wildcard is told whether the wildcard has it.
    if (this.subscription.wildcard) for (const name of removed) this.work.owe(name);
    if (removed.some((name) => globPrefix(name) !== undefined) || wildcardEnded) this.forgetUncovered(view);
    else if (!this.subscription.wildcard) this.forget(removed);
  }

  #ask(name: string, view: ResourceView, initialVersions: ReadonlyMap<string, string>): void {
    const prefix = globPrefix(name);
    const found =
      prefix === undefined
        ? [view.get(this.typeUrl, name)]
        : view.resources(this.typeUrl).filter((resource) => resource.name.startsWith(prefix));
    let exists = false;
    for (const resource of found) {
      if (resource === undefined) continue;
      exists = true;
      if (initialVersions.get(resource.name) !== resource.version) this.#oweResource(resource);
    }
    if (!exists) this.work.owe(name);
  }

  /** Rule 32. @returns names that are gone */
  #takeOver({ view, initialVersions }: SubscribeContext): readonly string[] {
    if (initialVersions.size === 0) return [];
    const { typeUrl, subscription } = this;
    const { held, outdated, gone } = takenOver(initialVersions, { typeUrl, subscription, view });
    for (const resource of outdated) this.#oweResource(resource);
    this.assume(held);
    return gone;
  }

  announce(names: ReadonlySet<string>, view: ResourceView): boolean {
    let found = false;
    const gone: string[] = [];
    for (const name of names) {
      const resource = view.get(this.typeUrl, name);
      if (resource === undefined) gone.push(name);
      if (resource === undefined ? !this.holds(name) : !this.isNews(resource)) continue;
      this.work.announce(name);
      found = true;
    }
    this.forgive(gone);
    return found;
  }

  plan(view: ResourceView, { keepLost, maxBytes }: PlanOptions): ResponsePlan | undefined {
    const resources: CompiledResource[] = [];
    const removed: string[] = [];
    const missing: string[] = [];
    let bytes = 0;
    for (const name of this.work.dueNames()) {
      const resource = view.get(this.typeUrl, name);
      const asked = this.work.isOwed(name);
      if (resource !== undefined && this.covers(resource)) {
        if (!asked && !this.isNews(resource)) {
          this.work.delete(name);
          continue;
        }
        bytes += encodedSize(resource);
        if (bytes > maxBytes && resources.length > 0) break;
        resources.push(resource);
        continue;
      }
      if (!asked && !this.holds(name)) {
        this.work.delete(name);
        continue;
      }
      if (keepLost && this.holds(name)) continue;
      bytes += Buffer.byteLength(name);
      if (bytes > maxBytes && removed.length > 0) break;
      removed.push(name);
      if (asked && resource === undefined && !this.holds(name)) missing.push(name);
    }
    if (resources.length === 0 && removed.length === 0 && !this.#owesAnswer) return undefined;
    const list = sharedList(resources);
    const versionInfo = this.versionsWith(list, removed).text;
    return { resources: list, removed, missing, versionInfo };
  }

  sent(plan: ResponsePlan): SentChange {
    this.#owesAnswer = false;
    return this.note(plan);
  }

  refused(plan: ResponsePlan, names: readonly string[], view: ResourceView): void {
    // What it has instead nobody knows; that it has something matters when the resource is removed.
    this.refuse(plan, { names, view, versionAfter: "" });
    // It was not for them that it was refused, and who takes all or nothing has them still.
    if (plan.resources.length > 0) this.#takeBack(plan.removed);
  }

  lost({ resources, removed }: ResponsePlan): void {
    for (const { name } of resources) this.work.owe(name);
    this.#takeBack(removed);
  }

  /** The client may not have heard that these are gone. */
  #takeBack(removed: readonly string[]): void {
    this.assume(SharedVersions.empty.with(new Map(removed.map((name) => [name, unknownVersion]))));
    for (const name of removed) this.work.owe(name);
  }

  holdsLost(view: ResourceView): boolean {
    for (const name of this.work.names()) {
      if (this.holds(name) && view.get(this.typeUrl, name) === undefined) return true;
    }
    return false;
  }
}
