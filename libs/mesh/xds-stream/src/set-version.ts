import { createHash } from "node:crypto";
import type { CompiledResource } from "@fairlead/snapshot";

const digests = new WeakMap<CompiledResource, readonly [number, number]>();

function digestOf(resource: CompiledResource): readonly [number, number] {
  const known = digests.get(resource);
  if (known !== undefined) return known;
  const bytes = createHash("sha256").update(resource.name).update("\0").update(resource.version).digest();
  const digest = [bytes.readUInt32BE(0), bytes.readUInt32BE(4)] as const;
  digests.set(resource, digest);
  return digest;
}

/**
 * The version of a set of resources: a hash over their names and versions that does not depend on order, and that
 * follows a change of one member at the cost of one member. Equal sets have equal versions on every gateway.
 */
export class SetVersion {
  #high = 0;
  #low = 0;

  add(resource: CompiledResource): void {
    const [high, low] = digestOf(resource);
    this.#high = (this.#high + high) >>> 0;
    this.#low = (this.#low + low) >>> 0;
  }

  delete(resource: CompiledResource): void {
    const [high, low] = digestOf(resource);
    this.#high = (this.#high - high) >>> 0;
    this.#low = (this.#low - low) >>> 0;
  }

  copy(): SetVersion {
    const copy = new SetVersion();
    copy.#high = this.#high;
    copy.#low = this.#low;
    return copy;
  }

  /** 16 hex digits. */
  get text(): string {
    return this.#high.toString(16).padStart(8, "0") + this.#low.toString(16).padStart(8, "0");
  }
}

const listVersions = new WeakMap<readonly CompiledResource[], string>();

/** Remembered per list: a list of a view is never altered. */
export function versionOfList(list: readonly CompiledResource[]): string {
  let version = listVersions.get(list);
  if (version === undefined) {
    const set = new SetVersion();
    for (const resource of list) set.add(resource);
    listVersions.set(list, (version = set.text));
  }
  return version;
}
