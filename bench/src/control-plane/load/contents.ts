import { crc32 } from "node:zlib";
import { typeUrls } from "@fairlead/envoy-api";
import { markerOf, markers, markOf } from "../marker.ts";
import { NameSet, Versions } from "./name-set.ts";
import { eachResource, type ResponseHead } from "./response.ts";
import type { Variant } from "./variant.ts";

/** What the resources of a response say. */
export interface Content {
  readonly held: NameSet;
  /** Marker and mark of each assignment of a marker service. */
  readonly marks: readonly (readonly [number, number])[];
}

const maxContents = 2000;

/**
 * Reads each different content once: most proxies get equal bytes, and the load client is not to be what takes the time.
 */
export class Contents {
  readonly #variant: Variant;
  readonly #read = new Map<string, Content>();
  readonly #versions = new Map<string, Versions>();
  readonly #newest = new Uint16Array(markers);

  constructor(variant: Variant) {
    this.#variant = variant;
  }

  of(bytes: Buffer, { typeUrl, resourcesStart, resourcesEnd }: ResponseHead): Content {
    const sum = crc32(bytes.subarray(resourcesStart, resourcesEnd));
    const key = `${sum} ${resourcesEnd - resourcesStart} ${typeUrl}`;
    const known = this.#read.get(key);
    if (known !== undefined) return known;
    const content = this.#parse(bytes, typeUrl);
    if (this.#read.size >= maxContents) this.#read.clear();
    this.#read.set(key, content);
    return content;
  }

  versions(typeUrl: string): Versions {
    const versions = this.#versions.get(typeUrl) ?? new Versions();
    this.#versions.set(typeUrl, versions);
    return versions;
  }

  /** @param marks of a proxy @returns whether no other proxy was sent a newer one */
  isNewest(marks: Uint16Array): boolean {
    return this.#newest.every((newest, marker) => marks[marker] === newest);
  }

  #parse(bytes: Buffer, typeUrl: string): Content {
    const names: string[] = [];
    const marks: [number, number][] = [];
    const versions = this.versions(typeUrl);
    eachResource(this.#variant, bytes, ({ start, end, nameStart, nameEnd, version }) => {
      const name = bytes.toString("utf8", nameStart, nameEnd);
      names.push(name);
      if (version !== "") versions.set(name, version);
      const marker = typeUrl === typeUrls.endpoint ? markerOf(bytes, nameStart, nameEnd) : undefined;
      if (marker === undefined) return;
      const mark = markOf(bytes, start, end);
      marks.push([marker, mark]);
      this.#newest[marker] = Math.max(this.#newest[marker] ?? 0, mark);
    });
    return { held: new NameSet(names), marks };
  }
}
