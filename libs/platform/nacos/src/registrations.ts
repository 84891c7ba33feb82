import type { Logger } from "@fairlead/logging";
import { eachOf } from "./each-of.ts";
import { instanceBody, type RegisteredInstance } from "./instance.ts";
import type { NacosClient } from "./nacos-client.ts";

export interface RegistrationsOptions {
  readonly client: Pick<NacosClient, "request" | "namespace" | "state">;
  readonly group: string;
  readonly logger: Logger;
}

/** What a service is to have of this client; by its name. */
export type WantedInstances = ReadonlyMap<string, readonly RegisteredInstance[]>;

const retryMs = 1_000;
const atATime = 20;

/**
 * Keeps instances registered, as ephemeral ones: they end with the connection, and are registered again over the next. A client has one
 * registration for each service, so that several instances of one are told together.
 */
export class Registrations {
  readonly #options: RegistrationsOptions;
  #wanted: WantedInstances = new Map();
  /** Over this connection: what was told, as text. */
  readonly #told = new Map<string, string>();
  #connection = 0;
  #running = false;
  #again = false;
  #retry: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(options: RegistrationsOptions) {
    this.#options = options;
  }

  set(wanted: WantedInstances): void {
    this.#wanted = wanted;
    this.#reconcile();
  }

  onConnected(): void {
    this.#connection++;
    this.#told.clear();
    this.#reconcile();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#retry);
  }

  #reconcile(): void {
    if (this.#stopped || this.#options.client.state !== "connected") return;
    if (this.#running) {
      this.#again = true;
      return;
    }
    clearTimeout(this.#retry);
    this.#running = true;
    this.#once(this.#connection)
      .catch((error: unknown) => {
        const reason = error instanceof Error ? error.message : String(error);
        this.#options.logger.warn({ reason }, "instances could not be registered in Nacos; it is tried again");
        this.#retry = setTimeout(() => this.#reconcile(), retryMs);
      })
      .finally(() => {
        this.#running = false;
        if (!this.#again) return;
        this.#again = false;
        this.#reconcile();
      });
  }

  async #once(connection: number): Promise<void> {
    const wanted = this.#wanted;
    const names = new Set([...this.#told.keys(), ...wanted.keys()]);
    await eachOf(names, atATime, async (name) => {
      const instances = wanted.get(name) ?? [];
      const text = JSON.stringify(instances);
      const told = this.#told.get(name);
      if (told === text || (told === undefined && instances.length === 0)) return;
      await this.#tell(name, instances, told);
      if (connection !== this.#connection) return;
      if (instances.length === 0) this.#told.delete(name);
      else this.#told.set(name, text);
    });
  }

  async #tell(serviceName: string, instances: readonly RegisteredInstance[], told: string | undefined): Promise<void> {
    const { client, group } = this.#options;
    const service = { namespace: client.namespace, serviceName, groupName: group };
    const bodies = instances.map((instance) => instanceBody(instance, serviceName));
    if (bodies.length > 1) {
      await client.request("BatchInstanceRequest", { ...service, type: "batchRegisterInstance", instances: bodies });
      return;
    }
    // With none, any of those that were told stands for what this client has there.
    const last = (told === undefined ? [] : (JSON.parse(told) as RegisteredInstance[]))[0];
    const instance = bodies[0] ?? instanceBody(last!, serviceName);
    const type = bodies.length === 0 ? "deregisterInstance" : "registerInstance";
    await client.request("InstanceRequest", { ...service, type, instance });
  }
}
