import { create, toBinary } from "@bufbuild/protobuf";
import type { KeyValue } from "@fairlead/bus";
import { typeUrls } from "@fairlead/envoy-api";
import { ClusterSchema } from "@fairlead/envoy-api/envoy/config/cluster/v3/cluster_pb.js";
import { ClusterLoadAssignmentSchema } from "@fairlead/envoy-api/envoy/config/endpoint/v3/endpoint_pb.js";
import { RouteConfigurationSchema } from "@fairlead/envoy-api/envoy/config/route/v3/route_pb.js";
import {
  bucketKeyOf,
  encodeHead,
  encodeNode,
  encodeResource,
  encodeScope,
  everythingScope,
  headKey,
} from "@fairlead/snapshot";

export interface ResourceForTest {
  readonly typeUrl: string;
  readonly name: string;
  /** @default that of the name: only one resource of a type has it */
  readonly key?: string;
  readonly version: string;
  readonly body: Uint8Array;
  readonly onDemand?: boolean;
}

/** A valid cluster whose bytes differ by version; `padding` makes it large. */
export function clusterForTest(name: string, version = "1", padding = 0): ResourceForTest {
  const altStatName = version + "x".repeat(padding);
  return {
    typeUrl: typeUrls.cluster,
    name,
    version,
    body: toBinary(ClusterSchema, create(ClusterSchema, { name, altStatName })),
  };
}
export function endpointForTest(name: string, version = "1"): ResourceForTest {
  const body = toBinary(ClusterLoadAssignmentSchema, create(ClusterLoadAssignmentSchema, { clusterName: name }));
  return { typeUrl: typeUrls.endpoint, name, version, body };
}
export function routeForTest(name: string, version = "1"): ResourceForTest {
  const body = toBinary(RouteConfigurationSchema, create(RouteConfigurationSchema, { name }));
  return { typeUrl: typeUrls.route, name, version, body };
}

export interface CommitForTest {
  readonly resources?: readonly ResourceForTest[];
  /** Keys, as `keyOf` gives them. */
  readonly removed?: readonly string[];
  /** Scope to keys. */
  readonly scopes?: Readonly<Record<string, readonly string[]>>;
  readonly nodes?: Readonly<Record<string, { readonly scope: string; readonly keys: readonly string[] }>>;
  readonly traceparent?: string;
}

export function keyOf({ typeUrl, name, key }: ResourceForTest): string {
  return key ?? `${typeUrl.split(".").at(-1)}/${name}`;
}

/** Writes the bucket as config-compiler does. All resources are in the scope of everything. */
export class CommitWriter {
  readonly bucket: KeyValue;
  readonly #everything = new Set<string>();
  /** Of the last commit. */
  revision = 0;

  constructor(bucket: KeyValue) {
    this.bucket = bucket;
  }

  /** @returns the revision */
  async commit(commit: CommitForTest): Promise<number> {
    const revision = await this.stage(commit);
    const { traceparent } = commit;
    await this.bucket.put(headKey, encodeHead({ revision, traceparent, compiledAtMs: 0, compilerId: "test" }));
    return revision;
  }

  /** A commit without its head: as of a compiler that died in the middle. @returns the revision that it was to be */
  async stage(commit: CommitForTest): Promise<number> {
    const { bucket } = this;
    const revision = ++this.revision;
    for (const resource of commit.resources ?? []) {
      const key = keyOf(resource);
      this.#everything.add(key);
      const { typeUrl, name, version, body, onDemand = false } = resource;
      const provenance = [{ kind: "service" as const, key: name }];
      await bucket.put(
        bucketKeyOf("resource", key),
        encodeResource({ key, typeUrl, name, version, body, onDemand, revision, provenance }),
      );
    }
    for (const key of commit.removed ?? []) {
      this.#everything.delete(key);
      await bucket.delete(bucketKeyOf("resource", key));
    }
    for (const [id, keys] of Object.entries({ [everythingScope]: [...this.#everything], ...commit.scopes })) {
      await bucket.put(bucketKeyOf("scope", id), encodeScope({ id, keys: new Set(keys) }, revision));
    }
    for (const [nodeId, { scope, keys }] of Object.entries(commit.nodes ?? {})) {
      await bucket.put(
        bucketKeyOf("node", nodeId),
        encodeNode({ nodeId, scopeId: scope, keys: new Set(keys) }, revision),
      );
    }
    return revision;
  }
}
