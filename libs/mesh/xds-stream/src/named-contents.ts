import type { CompiledResource, ResourceView } from "@fairlead/snapshot";
import type { Contents, PlanOptions, ResponsePlan, SentChange, SubscribeContext } from "./contents.ts";
import { encodedSize } from "./encode-resources.ts";
import { HeldContents } from "./held-contents.ts";
import type { RevisionRange } from "./revision-range.ts";
import { sharedList } from "./shared-list.ts";
import type { SubscriptionChange } from "./subscription.ts";

/** State of the world, endpoints, routes and all other types: a response carries what the client lacks (rule 57); deletion is not sent (56). */
export class NamedContents extends HeldContents implements Contents {
  subscribe(change: SubscriptionChange, { view, revision }: SubscribeContext): RevisionRange | undefined {
    if (change.wildcardEnded) this.forgetUncovered(view);
    else this.forgetUncovered(view, change.removed);
    const owed = change.added.map((name) => view.get(this.typeUrl, name)).filter((resource) => resource !== undefined);
    if (change.wildcardBegan) owed.push(...view.resources(this.typeUrl));
    if (owed.length === 0) return undefined;
    for (const resource of owed) this.work.owe(resource.name);
    return { first: owed.reduce((first, resource) => Math.min(first, resource.revision), revision), last: revision };
  }

  announce(names: ReadonlySet<string>, view: ResourceView): boolean {
    const gone: string[] = [];
    let found = false;
    for (const name of names) {
      const resource = view.get(this.typeUrl, name);
      if (resource === undefined) gone.push(name);
      if (resource === undefined || !this.isNews(resource)) continue;
      this.work.announce(name);
      found = true;
    }
    // Their re-creation is sent again, whatever its content.
    this.forget(gone);
    return found;
  }

  plan(view: ResourceView, { maxBytes }: PlanOptions): ResponsePlan | undefined {
    const resources: CompiledResource[] = [];
    const gone: string[] = [];
    let bytes = 0;
    for (const name of this.work.dueNames()) {
      const resource = view.get(this.typeUrl, name);
      const asked = resource !== undefined && this.work.isOwed(name) && this.covers(resource);
      if (resource === undefined) gone.push(name);
      if (resource === undefined || !(asked || this.isNews(resource))) {
        this.work.delete(name);
        continue;
      }
      bytes += encodedSize(resource);
      if (bytes > maxBytes && resources.length > 0) break;
      resources.push(resource);
    }
    this.forget(gone);
    if (resources.length === 0) return undefined;
    const list = sharedList(resources);
    const versionInfo = this.versionsWith(list, []).text;
    return { resources: list, removed: [], missing: [], versionInfo };
  }

  sent(plan: ResponsePlan): SentChange {
    return this.note(plan);
  }

  refused(plan: ResponsePlan, names: readonly string[], view: ResourceView): void {
    this.refuse(plan, { names, view, versionAfter: undefined });
  }

  lost({ resources }: ResponsePlan): void {
    for (const { name } of resources) this.work.owe(name);
  }

  holdsLost(): boolean {
    return false;
  }
}
