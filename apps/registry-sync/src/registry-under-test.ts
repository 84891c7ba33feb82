import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { InProcessBus, subjects } from "@fairlead/bus";
import { GatewayStatusSchema, type RegistryChanged, RegistryChangedSchema } from "@fairlead/fairlead-api";
import { createLogger } from "@fairlead/logging";
import { openStore, type Store } from "@fairlead/store";
import { startTelemetry } from "@fairlead/telemetry";
import { until } from "@fairlead/testing-basics";
import { startTestPostgres, type TestPostgres } from "@fairlead/testing-servers";
import { z } from "zod";
import { registrySyncConfig } from "./config.ts";
import { createRegistrySync, type RegistrySync } from "./module.ts";

const bodySchema = z.looseObject({
  err_no: z.number().optional(),
  err_msg: z.string().optional(),
  revision: z.number().optional(),
  code: z.string().optional(),
  message: z.string().optional(),
  action: z.string().optional(),
  facts: z.record(z.string(), z.unknown()).optional(),
});
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: z.output<typeof bodySchema>;
}

export async function call(
  url: string,
  method: string,
  path: string,
  body?: unknown,
  type = "application/json",
): Promise<Answer> {
  const response = await fetch(url + path, {
    method,
    ...(body === undefined
      ? {}
      : { body: typeof body === "string" ? body : JSON.stringify(body), headers: { "content-type": type } }),
  });
  return { status: response.status, headers: response.headers, body: bodySchema.parse(await response.json()) };
}

export const silent = createLogger({ service: "test", level: "silent" });
/** A real one: spans, and with them traceparents, exist only when it runs. */
const telemetry = startTelemetry({ service: "registry-sync" });

/** registry-sync on a real PostgreSQL and the bus within the process; with what tests ask of it. */
export class RegistryUnderTest {
  readonly postgres: TestPostgres;
  readonly bus: InProcessBus;
  readonly store: Store;
  readonly registry: RegistrySync;
  readonly announced: RegistryChanged[] = [];
  #sequence = 0n;

  private constructor(postgres: TestPostgres, bus: InProcessBus, store: Store, registry: RegistrySync) {
    this.postgres = postgres;
    this.bus = bus;
    this.store = store;
    this.registry = registry;
    bus.subscribe(
      subjects.registryChanged,
      ({ data }) => void this.announced.push(fromBinary(RegistryChangedSchema, data)),
    );
  }

  /** @param settings as in the environment @param shared another one, whose PostgreSQL and bus are used */
  static async start(settings: Record<string, string> = {}, shared?: RegistryUnderTest): Promise<RegistryUnderTest> {
    const postgres = shared?.postgres ?? (await startTestPostgres());
    const bus = shared?.bus ?? new InProcessBus();
    const store = await openStore({ url: postgres.url, logger: silent });
    const config = registrySyncConfig.load({ FAIRLEAD_HTTP_PORT: "0", ...settings });
    const registry = createRegistrySync(config, { bus, store, logger: silent, telemetry });
    await registry.start();
    const test = new RegistryUnderTest(postgres, bus, store, registry);
    await until("ready", () => test.ready(), 15_000);
    return test;
  }

  /** Stops all but what was shared. */
  async stop(): Promise<void> {
    await this.registry.stop();
    await this.store.close();
  }

  async ready(): Promise<boolean> {
    return (await fetch(`${this.registry.url}/readyz`)).ok;
  }

  async call(method: string, path: string, body?: unknown, type?: string): Promise<Answer> {
    return await call(this.registry.url, method, path, body, type);
  }

  /** Says what a gateway says every second. */
  async gatewaySays(status: MessageInitShape<typeof GatewayStatusSchema>): Promise<void> {
    const message = create(GatewayStatusSchema, {
      gatewayId: "g1",
      debugUrl: "http://127.0.0.1:1",
      ...status,
      sequence: ++this.#sequence,
    });
    await this.bus.publish({
      subject: subjects.proxyStatus,
      data: toBinary(GatewayStatusSchema, message),
      revision: 0,
    });
  }
}

export function node(id: string, more: object = {}): object {
  return { id, app: "shop", address: "127.0.0.1", ...more };
}
