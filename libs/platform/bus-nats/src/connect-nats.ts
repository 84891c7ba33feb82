import type { Bus } from "@fairlead/bus";
import { defaultMaxBytes, defaultRedeliveryPausesMs } from "@fairlead/bus/adapter";
import type { Logger } from "@fairlead/logging";
import { NatsBus } from "./nats-bus.ts";
import { NatsLink } from "./nats-link.ts";
import { parseServers } from "./server-address.ts";

export interface ConnectNatsOptions {
  /** nats://[user:password@]host:4222, several separated by commas. The password is never logged. */
  readonly servers: string;
  /** Shown by `nats server report connections`. */
  readonly name: string;
  readonly logger: Logger;
  /** After it `publish`, `put`, `get` and `delete` reject with FL_BUS_UNAVAILABLE. @default 2000 */
  readonly publishTimeoutMs?: number;
  /** Largest message or value; the server's max_payload less 4 KiB for headers counts too. @default 8 MiB */
  readonly maxBytes?: number;
  /** Milliseconds before each further call of a handler that threw. @default [100, 400, 1500, 5000, 5000] */
  readonly redeliveryPausesMs?: readonly number[];
}

/**
 * A bus on NATS with JetStream (2.9 or newer). Resolves at once, also when NATS is not there: it goes on trying, and subscriptions
 * and watches begin when it is. Streams and buckets are made where they are missing, also when NATS has lost its data.
 *
 * @throws FairleadError FL_BUS_NAME_INVALID for an address that is none
 */
export async function connectNats(options: ConnectNatsOptions): Promise<Bus> {
  const publishTimeoutMs = options.publishTimeoutMs ?? 2000;
  const link = new NatsLink({
    address: parseServers(options.servers),
    name: options.name,
    logger: options.logger,
    requestTimeoutMs: publishTimeoutMs,
  });
  return new NatsBus({
    link,
    logger: options.logger,
    publishTimeoutMs,
    maxBytes: options.maxBytes ?? defaultMaxBytes,
    redeliveryPausesMs: options.redeliveryPausesMs ?? defaultRedeliveryPausesMs,
  });
}
