import { adsGatewayConfig, createAdsGateway } from "@fairlead/ads-gateway";
import { InProcessBus } from "@fairlead/bus";
import type { Module } from "@fairlead/lifecycle";
import { createLogger } from "@fairlead/logging";
import { createRegistrySync, registrySyncConfig } from "@fairlead/registry-sync";
import { createSidecar, sidecarConfig } from "@fairlead/sidecar";
import { openStore } from "@fairlead/store";
import { generatedNote, table } from "./markdown.ts";

interface OpenApi {
  readonly info: { readonly title: string; readonly description: string };
  readonly paths: Readonly<
    Record<string, Readonly<Record<string, { readonly summary?: string; readonly description?: string }>>>
  >;
}

const silent = createLogger({ service: "reference", level: "silent" });
const telemetry = { serveMetrics: () => undefined };
/** Nothing listens there: the services start, and describe themselves, without a database. */
const nowhere = "postgres://127.0.0.1:1/nowhere";

/** Runs a service on free ports and asks it for its description, as a user would. */
async function descriptionOf(module: Module, url: () => string): Promise<OpenApi> {
  await module.start();
  try {
    return (await (await fetch(`${url()}/openapi.json`)).json()) as OpenApi;
  } finally {
    await module.stop();
  }
}

async function descriptions(): Promise<ReadonlyMap<string, OpenApi>> {
  const bus = new InProcessBus();
  const store = await openStore({ url: nowhere, logger: silent });
  const registry = createRegistrySync(registrySyncConfig.load({ FAIRLEAD_HTTP_PORT: "0" }), {
    bus,
    store,
    logger: silent,
    telemetry,
  });
  const gateway = createAdsGateway(adsGatewayConfig.load({ FAIRLEAD_GRPC_PORT: "0", FAIRLEAD_HTTP_PORT: "0" }), {
    bus,
    logger: silent,
    telemetry,
  });
  const sidecar = createSidecar(
    sidecarConfig.load({
      FAIRLEAD_APP: "reference",
      FAIRLEAD_NODE_ID: "reference",
      FAIRLEAD_API_PORT: "0",
      FAIRLEAD_ADMIN_PORT: "0",
      FAIRLEAD_REGISTRY_URL: "http://127.0.0.1:1",
      FAIRLEAD_ADS_ADDRESS: "127.0.0.1:1",
      FAIRLEAD_DRAIN_TIMEOUT: "1ms",
    }),
    { logger: silent, telemetry },
  );
  try {
    return new Map([
      ["registry-sync", await descriptionOf(registry, () => registry.url)],
      ["sidecar", await descriptionOf(sidecar, () => `http://127.0.0.1:${sidecar.apiPort}`)],
      ["ads-gateway", await descriptionOf(gateway, () => gateway.debugUrl)],
    ]);
  } finally {
    await store.close();
    await bus.close();
  }
}

function operations({ paths }: OpenApi): string {
  const rows = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { summary, description }]) => [
      `\`${method.toUpperCase()} ${path}\``,
      [summary, description]
        .map((part) => part?.replace(/\.?$/, "."))
        .join(" ")
        .trim(),
    ]),
  );
  return table(["operation", "what it does"], rows);
}

/** A page of all operations, and each service's OpenAPI document. */
export async function httpApiReference(): Promise<[name: string, content: string][]> {
  const apis = await descriptions();
  const sections = [...apis].map(
    ([app, api]) =>
      `## ${app}\n\n${api.info.description} [openapi-${app}.json](openapi-${app}.json)\n\n${operations(api)}`,
  );
  const page = `${generatedNote}
# HTTP APIs

Each service also answers \`/healthz\`, \`/readyz\`, \`/metrics\` and \`/openapi.json\`. Bodies are checked against the document; a field that it does not have is
refused. Errors: [errors](errors.md).

${sections.join("\n\n")}
`;
  return [
    ["http-api.md", page],
    ...[...apis].map(([app, api]): [string, string] => [`openapi-${app}.json`, `${JSON.stringify(api, null, 2)}\n`]),
  ];
}
