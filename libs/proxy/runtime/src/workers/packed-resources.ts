import type { XdsResource } from "../xds-resource.ts";

/** Resources of one type with their bytes one after the other in memory that all workers read. */
export interface PackedResources {
  readonly names: readonly string[];
  /** `ends[i]` is where the bytes of the i-th resource end. */
  readonly ends: Uint32Array;
  readonly bytes: SharedArrayBuffer;
}

export function packResources(resources: readonly XdsResource[]): PackedResources {
  const size = resources.reduce((sum, { body }) => sum + body.length, 0);
  const bytes = new SharedArrayBuffer(size);
  const target = new Uint8Array(bytes);
  const ends = new Uint32Array(resources.length);
  let at = 0;
  for (const [i, { body }] of resources.entries()) {
    target.set(body, at);
    at += body.length;
    ends[i] = at;
  }
  return { names: resources.map(({ name }) => name), ends, bytes };
}

/**
 * What came before is given again where its bytes are the same, and what is new is copied: a few resources that stay would keep the
 * memory of all.
 */
export class UnpackedResources {
  #known: ReadonlyMap<string, XdsResource> = new Map();

  take({ names, ends, bytes }: PackedResources): readonly XdsResource[] {
    const resources = names.map((name, i): XdsResource => {
      const body = Buffer.from(bytes, ends[i - 1] ?? 0, ends[i]! - (ends[i - 1] ?? 0));
      const before = this.#known.get(name);
      return before !== undefined && body.equals(before.body) ? before : { name, body: Uint8Array.from(body) };
    });
    this.#known = new Map(resources.map((resource) => [resource.name, resource]));
    return resources;
  }
}
