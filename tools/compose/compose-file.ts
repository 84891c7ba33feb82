import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";

export const repository = join(import.meta.dirname, "../..");

const serviceSchema = z.strictObject({
  image: z.string().optional(),
  build: z.strictObject({ context: z.literal("."), target: z.string() }).optional(),
  command: z.array(z.string()).optional(),
  restart: z.enum(["unless-stopped", "no"]),
  read_only: z.boolean().optional(),
  tmpfs: z.array(z.string()).optional(),
  cap_drop: z.array(z.string()).optional(),
  security_opt: z.array(z.string()).optional(),
  environment: z.record(z.string(), z.string()).default({}),
  ports: z.array(z.string()).default([]),
  volumes: z.array(z.string()).default([]),
  network_mode: z.string().optional(),
  stop_grace_period: z.string().optional(),
  profiles: z.array(z.string()).default([]),
  depends_on: z.record(z.string(), z.strictObject({ condition: z.literal("service_healthy") })).default({}),
  healthcheck: z
    .strictObject({ test: z.array(z.string()).min(2), interval: z.string(), timeout: z.string(), retries: z.number() })
    .optional(),
});
export type ComposeService = z.output<typeof serviceSchema>;

const composeSchema = z.object({
  services: z.record(z.string(), serviceSchema),
  volumes: z.record(z.string(), z.null()),
});

/**
 * docker-compose.yml with its anchors resolved. Only what the file uses is known here: a field that is misspelt, or that nobody thought
 * about yet, fails.
 */
export function readComposeFile(): z.output<typeof composeSchema> {
  const text = readFileSync(join(repository, "docker-compose.yml"), "utf8");
  return composeSchema.parse(parse(text, { merge: true }));
}

/** `${NAME:-default}` as compose fills it in where NAME is not set. */
export function withDefaults(value: string): string {
  return value.replaceAll(/\$\{\w+:-([^}]*)\}/g, "$1");
}

export interface DockerStage {
  readonly from: string;
  readonly lines: readonly string[];
}

/** The Dockerfile's stages by name. */
export function readDockerStages(): Map<string, DockerStage> {
  const stages = new Map<string, { from: string; lines: string[] }>();
  let current: string[] = [];
  for (const line of readFileSync(join(repository, "Dockerfile"), "utf8").split("\n")) {
    const [, from, name] = /^FROM (\S+) AS (\S+)$/.exec(line) ?? [];
    if (from !== undefined && name !== undefined) {
      current = [];
      stages.set(name, { from, lines: current });
    } else if (line !== "" && !line.startsWith("#")) current.push(line);
  }
  return stages;
}
