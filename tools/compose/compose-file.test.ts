import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { test } from "node:test";
import { bundledApps, bundleFolder } from "../build/bundle-app.ts";
import { readComposeFile, readDockerStages, repository, withDefaults } from "./compose-file.ts";

const { services, volumes } = readComposeFile();
const stages = readDockerStages();
const ours = Object.entries(services).filter(([, service]) => service.build !== undefined);
/** Services that hold no state and no network of their own: `--scale` works for them. */
const scalable = ["registry-sync", "config-compiler", "ads-gateway"];

interface Definition {
  load(environment: Readonly<Record<string, string>>): Record<string, unknown>;
  rows(): { variable: string }[];
}

/** What an app's config.ts defines: all of its settings. */
async function definitionsOf(app: string): Promise<Definition[]> {
  const module = (await import(join(repository, "apps", app, "src/config.ts"))) as Record<string, unknown>;
  return Object.values(module).filter(
    (value): value is Definition => typeof value === "object" && value !== null && "rows" in value,
  );
}

/** The port that the URL of a health check names. */
function probedPort(test_: readonly string[]): number {
  return Number(/127\.0\.0\.1:(\d+)/.exec(test_.join(" "))?.[1]);
}

test("every setting is one that the app knows, with a value that it takes", async () => {
  for (const [name, service] of ours) {
    const app = service.build!.target;
    if (app === "sample-shop" || app === "fairlead") continue;
    const environment = Object.fromEntries(
      Object.entries(service.environment).map(([key, value]) => [key, withDefaults(value)]),
    );
    const definitions = await definitionsOf(app);
    const known = new Set(definitions.flatMap((definition) => definition.rows().map(({ variable }) => variable)));
    assert.deepEqual(
      Object.keys(environment).filter((variable) => !known.has(variable)),
      [],
      name,
    );
    for (const definition of definitions) definition.load(environment);
  }
});

test("health checks ask the port that the app listens on", async () => {
  const portField: Readonly<Record<string, string>> = { sidecar: "adminPort", "edge-gateway": "adminPort" };
  for (const [name, service] of ours) {
    const app = service.build!.target;
    if (app === "fairlead") continue;
    const port = probedPort(service.healthcheck!.test);
    if (app === "sample-shop") {
      assert.equal(port, 8080, name);
      continue;
    }
    const [definition] = await definitionsOf(app);
    const config = definition!.load({ FAIRLEAD_APP: "x" });
    assert.equal(port, config[portField[app] ?? "httpPort"], name);
  }
});

test("images: stages exist, copy from stages that exist, and run a file that the build compiles", () => {
  for (const [name, { build }] of ours)
    assert.ok(stages.has(build!.target), `${name}: the Dockerfile has no stage ${build!.target}`);
  for (const [name, stage] of stages) {
    assert.ok(stages.has(stage.from) || stage.from.startsWith("node:26-"), `${name} is from ${stage.from}`);
    for (const line of stage.lines) {
      const copied = /^COPY --from=(\S+)/.exec(line)?.[1];
      if (copied !== undefined) assert.ok(stages.has(copied), `${name} copies from ${copied}`);
      const installed = /install-app\.ts (\S+)/.exec(line)?.[1];
      if (installed !== undefined)
        assert.ok(existsSync(join(repository, installed, "package.json")), `${name} installs ${installed}`);
    }
  }
  const commands = [
    ...[...stages.values()].flatMap(({ lines }) => lines),
    ...ours.map(([, { command }]) => command?.join(" ") ?? ""),
  ].join("\n");
  const mains = [...commands.matchAll(/apps\/[a-z/-]+\/src\/main\.js/g)].map(([file]) => file);
  assert.ok(mains.length >= 6);
  for (const main of mains) assert.ok(existsSync(join(repository, main.replace(/\.js$/, ".ts"))), main);
});

test("proxies run the bundle that the build makes of them", () => {
  for (const app of bundledApps) {
    const lines = stages.get(basename(app))?.lines ?? [];
    assert.ok(lines.includes(`COPY --from=build /source/${bundleFolder(app)} ./`), app);
    assert.ok(
      lines.some((line) => /^CMD \["node", .*"main\.js"\]$/.test(line)),
      app,
    );
  }
});

test("nothing runs as root or may gain rights; images of ours are read-only", () => {
  assert.ok(stages.get("base")!.lines.includes("USER node"));
  for (const [name, service] of ours) {
    assert.equal(stages.get(service.build!.target)!.from, "base", name);
    assert.equal(service.read_only, true, name);
    assert.deepEqual(service.cap_drop, ["ALL"], name);
    assert.deepEqual(service.security_opt, ["no-new-privileges:true"], name);
  }
});

test("published ports are on the host's loopback, with a free port each, so that replicas do not collide", () => {
  for (const [name, { ports }] of Object.entries(services)) {
    for (const port of ports) assert.match(port, /^127\.0\.0\.1::\d+$/, name);
  }
  for (const name of scalable) {
    const service = services[name]!;
    assert.equal(service.network_mode, undefined);
    assert.deepEqual(service.volumes, []);
    assert.ok(!Object.values(services).some(({ network_mode: mode }) => mode === `service:${name}`), name);
  }
});

test("what is waited for has a health check; everything that runs has one", () => {
  for (const [name, service] of Object.entries(services)) {
    if (service.profiles.length === 0) assert.ok(service.healthcheck !== undefined, name);
    for (const needed of Object.keys(service.depends_on))
      assert.ok(services[needed]?.healthcheck !== undefined, `${name} needs ${needed}`);
  }
});

test("a sidecar shares the network of its application, which is what publishes the inbound port", () => {
  const sidecars = Object.entries(services).filter(([, { build }]) => build?.target === "sidecar");
  assert.equal(sidecars.length, 5);
  for (const [name, service] of sidecars) {
    const application = services[/^service:(.+)$/.exec(service.network_mode ?? "")?.[1] ?? ""];
    assert.equal(application?.build?.target, "sample-shop", name);
    assert.deepEqual(application?.ports, ["127.0.0.1::15006"]);
    assert.deepEqual(service.ports, []);
    assert.equal(service.environment["FAIRLEAD_BIND"], undefined, "the local API and the admin pages stay on loopback");
  }
});

test("the edge gateway takes calls on ports that need no rights, and its admin pages stay inside", () => {
  const edges = Object.values(services).filter(({ build }) => build?.target === "edge-gateway");
  assert.equal(edges.length, 1);
  for (const { ports, environment } of edges) {
    for (const port of ports) assert.ok(Number(port.split(":").at(-1)) >= 1024, port);
    assert.ok(!ports.some((port) => port.endsWith(":15000")));
    assert.equal(environment["FAIRLEAD_ADMIN_BIND"], undefined);
  }
});

test("secrets come from the environment, and volumes are declared", () => {
  for (const [name, { environment, volumes: mounted }] of Object.entries(services)) {
    for (const [variable, value] of Object.entries(environment)) {
      if (/PASSWORD|SECRET|TOKEN/.test(variable) || /:\/\/[^/]*:[^/]*@/.test(value))
        assert.match(value, /\$\{FAIRLEAD_\w+/, `${name} ${variable}`);
    }
    for (const mount of mounted) assert.ok(Object.hasOwn(volumes, mount.split(":")[0]!), `${name} mounts ${mount}`);
  }
});
