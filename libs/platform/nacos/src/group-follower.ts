import type { Logger } from "@fairlead/logging";
import { z } from "zod";
import { eachOf } from "./each-of.ts";
import { type NacosInstance, readServiceInfo, type ServiceInfo } from "./instance.ts";
import type { NacosClient } from "./nacos-client.ts";
import { unavailable } from "./nacos-error.ts";
import type { Message } from "./payload.ts";

export interface GroupFollowerOptions {
  readonly client: Pick<NacosClient, "request" | "namespace" | "reconnect">;
  readonly group: string;
  readonly logger: Logger;
  /** New services are looked for so often: Nacos tells of instances, and not of services. @default 2000 */
  readonly pollMs?: number;
  /** Services of one page of the list. @default 500 */
  readonly pageSize?: number;
  /** Services beyond this number are left out, and the log says so. @default 50000 */
  readonly maxServices?: number;
}

export interface GroupEvents {
  /** All services with their instances: after each `onConnected`. */
  onAll(services: ReadonlyMap<string, readonly NacosInstance[]>): void;
  /** The instances of one service; none: it has none, or is gone. */
  onService(name: string, instances: readonly NacosInstance[]): void;
}

const listSchema = z.object({ count: z.number().int(), serviceNames: z.array(z.string()).nullish() });
const atATime = 50;
const retryMs = 1_000;

/**
 * Follows all services of one group: each is subscribed to, and the list of them is read again and again. A service that has left the list is
 * believed to be gone only when the server, asked for it, has no instance of it: lists can be short while a server starts.
 */
export class GroupFollower {
  readonly #options: Required<GroupFollowerOptions>;
  readonly #events: GroupEvents;
  readonly #services = new Map<string, ServiceInfo>();
  /** Counts connections: what was begun over an older one is dropped. */
  #connection = 0;
  /** What was pushed while everything is read comes after it. */
  #whole = false;
  #timer: NodeJS.Timeout | undefined;
  #tooMany = false;

  constructor(options: GroupFollowerOptions, events: GroupEvents) {
    this.#options = { pollMs: 2_000, pageSize: 500, maxServices: 50_000, ...options };
    this.#events = events;
  }

  /** A connection is there: everything is read, then followed. */
  onConnected(): void {
    const connection = ++this.#connection;
    this.#services.clear();
    this.#whole = false;
    clearTimeout(this.#timer);
    void this.#round(connection);
  }

  onSuspended(): void {
    this.#connection++;
    clearTimeout(this.#timer);
  }

  stop(): void {
    this.onSuspended();
  }

  /** @returns whether the message was for the follower */
  onPush({ type, body }: Message): boolean {
    if (type !== "NotifySubscriberRequest") return false;
    const info = readServiceInfo(body["serviceInfo"]);
    // What it told is lost, and it will not tell it again.
    if (info === undefined) this.#options.client.reconnect("Nacos pushed something that is no service");
    else if (info.group === this.#options.group) this.#put(info);
    return true;
  }

  async #round(connection: number): Promise<void> {
    let nextMs = this.#options.pollMs;
    try {
      await this.#readList(connection);
    } catch (error) {
      if (connection !== this.#connection) return;
      const reason = error instanceof Error ? error.message : String(error);
      this.#options.logger.warn({ reason }, "services could not be read from Nacos; it is tried again");
      nextMs = retryMs;
    }
    if (connection !== this.#connection) return;
    this.#timer = setTimeout(() => void this.#round(connection), nextMs);
  }

  async #readList(connection: number): Promise<void> {
    const listed = await this.#list();
    const names = new Set(listed);
    const unknown = listed.filter((name) => !this.#services.has(name));
    const unlisted = [...this.#services.keys()].filter((name) => !names.has(name));
    await eachOf([...unknown, ...unlisted], atATime, async (name) => {
      const info = await this.#subscribe(name, true);
      if (connection !== this.#connection) return;
      this.#put(info);
      if (names.has(name) || this.#services.get(name)?.instances.length !== 0) return;
      await this.#subscribe(name, false);
      this.#services.delete(name);
    });
    if (connection !== this.#connection || this.#whole) return;
    this.#whole = true;
    this.#events.onAll(new Map([...this.#services].map(([name, { instances }]) => [name, instances])));
  }

  async #list(): Promise<readonly string[]> {
    const { client, group, pageSize, maxServices, logger } = this.#options;
    const names = new Set<string>();
    for (let pageNo = 1; ; pageNo++) {
      const body = { namespace: client.namespace, serviceName: "", groupName: group, pageNo, pageSize, selector: "" };
      const page = listSchema.safeParse(await client.request("ServiceListRequest", body));
      if (!page.success) throw unavailable("Nacos answered with something that is no list of services");
      const { count, serviceNames } = page.data;
      for (const name of serviceNames ?? [])
        names.add(name.slice(name.lastIndexOf("@@") + (name.includes("@@") ? 2 : 1)));
      const tooMany = names.size > maxServices;
      if (tooMany && !this.#tooMany) logger.warn({ group, count, maxServices }, "a Nacos group has more services than are followed"); // prettier-ignore
      this.#tooMany = tooMany;
      if (tooMany || (serviceNames?.length ?? 0) === 0 || pageNo * pageSize >= count)
        return [...names].slice(0, maxServices);
    }
  }

  async #subscribe(name: string, subscribe: boolean): Promise<ServiceInfo> {
    const { client, group } = this.#options;
    const body = { namespace: client.namespace, serviceName: name, groupName: group, subscribe, clusters: "" };
    const answer = await client.request("SubscribeServiceRequest", body);
    if (!subscribe) return { name, group, instances: [], atMs: 0, unreadable: 0 };
    const info = readServiceInfo(answer["serviceInfo"]);
    if (info === undefined) throw unavailable(`Nacos answered with something that is not the service ${name}`);
    return { ...info, name, group };
  }

  #put(info: ServiceInfo): void {
    const { name, instances, atMs, unreadable } = info;
    const before = this.#services.get(name);
    // A push may be faster than the answer to the subscription that caused it.
    if (before !== undefined && before.atMs > atMs) return;
    if (unreadable > 0) this.#options.logger.warn({ service: name, unreadable }, "a Nacos service has instances that cannot be read"); // prettier-ignore
    this.#services.set(name, info);
    if (this.#whole && !sameInstances(before?.instances ?? [], instances)) this.#events.onService(name, instances);
  }
}

function sameInstances(a: readonly NacosInstance[], b: readonly NacosInstance[]): boolean {
  return a.length === b.length && JSON.stringify(a) === JSON.stringify(b);
}
