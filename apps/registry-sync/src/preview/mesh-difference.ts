import type { Registry } from "@bufbuild/protobuf";
import type { CompiledMesh, RejectedCompile } from "@fairlead/compile";
import { shortTypeName } from "@fairlead/envoy-api";
import type { Preview, PreviewedResource, RejectedObject } from "@fairlead/registration";
import { type CompiledResource, pushOrder } from "@fairlead/snapshot";
import { resourceJson } from "../readable/resource-json.ts";
import { unifiedDiff } from "../readable/unified-diff.ts";
import { Audiences } from "./audiences.ts";

export interface DifferenceLimits {
  /** Of the diff of one resource; a longer one is cut. */
  readonly maxDiffChars: number;
  /** Of all diffs together; further resources come without theirs. */
  readonly maxTotalDiffChars: number;
}

type Compiled = Pick<CompiledMesh, "resources" | "scopes" | "nodes" | "rejected">;

const identityOf = ({ provenance, code, message }: RejectedCompile) =>
  JSON.stringify([provenance.kind, provenance.key, code, message]);

function compareResources(a: CompiledResource, b: CompiledResource): number {
  const byType = pushOrder.indexOf(a.typeUrl) - pushOrder.indexOf(b.typeUrl);
  if (byType !== 0) return byType;
  if (a.name !== b.name) return a.name < b.name ? -1 : 1;
  return a.key < b.key ? -1 : 1;
}

export function rejectedObject({ provenance, code, message }: RejectedCompile): RejectedObject {
  const { kind, key, file = "", line = 0 } = provenance;
  return { kind, key, file, line, code, message };
}

interface Difference {
  readonly change: PreviewedResource["change"];
  readonly audience: number;
  readonly resource: CompiledResource;
  readonly old: CompiledResource | undefined;
  readonly fresh: CompiledResource | undefined;
}

function* differing(before: Compiled, after: Compiled, audiences: Audiences): Generator<Difference> {
  for (const [key, resource] of after.resources) {
    const old = before.resources.get(key);
    if (old === undefined) {
      yield { change: "added", audience: audiences.of(key), resource, old, fresh: resource };
    } else if (old.version !== resource.version) {
      yield { change: "changed", audience: audiences.of(key), resource, old, fresh: resource };
    } else {
      const { gained, lost } = audiences.moved(key);
      if (gained !== undefined) yield { change: "added", audience: gained, resource, old: undefined, fresh: resource };
      if (lost !== undefined) yield { change: "removed", audience: lost, resource, old, fresh: undefined };
    }
  }
  for (const [key, old] of before.resources) {
    if (!after.resources.has(key)) {
      yield { change: "removed", audience: audiences.of(key), resource: old, old, fresh: undefined };
    }
  }
}

/** Resources whose bytes are others, which one of both lacks, or which others hold; and what is rejected after the change. */
export function meshDifference(
  before: Compiled,
  after: Compiled,
  registry: Registry,
  limits: DifferenceLimits,
): Preview {
  const audiences = new Audiences(before, after);
  const differences = [...differing(before, after, audiences)].toSorted((a, b) =>
    compareResources(a.resource, b.resource),
  );
  let left = limits.maxTotalDiffChars;
  let diffsLeftOut = 0;
  const textOf = (resource: CompiledResource | undefined) =>
    resource === undefined ? "" : JSON.stringify(resourceJson(resource, registry), undefined, 2);
  const resources = differences.map(({ change, audience, old, resource, fresh }): PreviewedResource => {
    const { key, typeUrl, name } = resource;
    const described = { change, type: shortTypeName(typeUrl), name, key, audience };
    if (left <= 0) {
      diffsLeftOut += 1;
      return described;
    }
    const diff = cutAtLine(unifiedDiff(textOf(old), textOf(fresh)), Math.min(limits.maxDiffChars, left));
    left -= diff.length;
    return { ...described, diff };
  });

  const already = new Set(before.rejected.map(identityOf));
  const rejected = after.rejected.map((object) => ({
    ...rejectedObject(object),
    already: already.has(identityOf(object)),
  }));
  return { resources, audiences: audiences.list, rejected, diffsLeftOut };
}

function cutAtLine(text: string, maxChars: number): string {
  if (text.length <= maxChars) return text;
  const shown = text.slice(0, Math.max(0, text.lastIndexOf("\n", maxChars)));
  return `${shown}\n… ${text.slice(shown.length).split("\n").length - 1} more lines`;
}
