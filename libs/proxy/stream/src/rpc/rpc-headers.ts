import type { RpcCall } from "@fairlead/codec-rpc";
import { HeaderMap } from "../header-map.ts";

/** What the proxy notes for itself: never an attachment of a call. */
const notesOfTheProxy = /^x-(envoy-|forwarded-|request-id$|rpc-protocol$)/;

/**
 * The attachments of a call as headers, their names in lower case. They are read from the frame when the first one is asked for: most calls
 * are routed by service and method alone, and then nobody asks.
 */
export class RpcHeaders extends HeaderMap {
  readonly #call: RpcCall;
  readonly #notes: HeaderMap;
  #loaded = false;
  /** What filters and routes have added or set: it has to get into the frame. */
  readonly changes: [name: string, value: string][] = [];

  /** @param protocol for routes of services that are there over several: `x-rpc-protocol` */
  constructor(call: RpcCall, protocol: string) {
    super([]);
    this.#call = call;
    this.#notes = new HeaderMap(["x-rpc-protocol", protocol]);
  }

  override get(name: string): string | undefined {
    if (notesOfTheProxy.test(name)) return this.#notes.get(name);
    this.#load();
    return super.get(name);
  }

  override has(name: string): boolean {
    if (notesOfTheProxy.test(name)) return this.#notes.has(name);
    this.#load();
    return super.has(name);
  }

  override getJoined(name: string): string | undefined {
    if (notesOfTheProxy.test(name)) return this.#notes.getJoined(name);
    this.#load();
    return super.getJoined(name);
  }

  override add(name: string, value: string): void {
    this.#change(name, value);
    if (notesOfTheProxy.test(name)) this.#notes.add(name, value);
    else super.add(name, value);
  }

  override set(name: string, value: string): void {
    this.#change(name, value);
    if (notesOfTheProxy.test(name)) this.#notes.set(name, value);
    else super.set(name, value);
  }

  /** For matching only: an attachment cannot be taken out of a frame. */
  override remove(name: string): void {
    if (notesOfTheProxy.test(name)) this.#notes.remove(name);
    else if (this.#loaded) super.remove(name);
  }

  override clone(): HeaderMap {
    this.#load();
    return new HeaderMap([...this.fields, ...this.#notes.fields]);
  }

  #change(name: string, value: string): void {
    if (notesOfTheProxy.test(name)) return;
    this.#load();
    this.changes.push([name, value]);
  }

  #load(): void {
    if (this.#loaded) return;
    this.#loaded = true;
    for (const [name, value] of this.#call.attachments()) this.fields.push(name.toLowerCase(), value);
    const { version, group } = this.#call;
    if (version !== "" && !super.has("version")) this.fields.push("version", version);
    if (group !== "" && !super.has("group")) this.fields.push("group", group);
  }
}
