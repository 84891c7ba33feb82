import { defineConfig } from "./define-config.ts";
import { databaseUrl, natsUrl, otlpEndpoint } from "./field-types.ts";

/** What a service on store and bus needs only as a process of its own: in `fairlead up` bus and store are given. */
export const storeProcessConfig = (app: string) =>
  defineConfig(`${app} (as a process)`, {
    natsUrl: natsUrl(),
    databaseUrl: databaseUrl(),
    otlpEndpoint: otlpEndpoint(),
  });
