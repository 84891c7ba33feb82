import type { Registry } from "@bufbuild/protobuf";
import { compile, nothingBefore } from "@fairlead/compile";
import type { Catalogue, PolicyObject } from "@fairlead/model";
import type { Preview } from "@fairlead/registration";
import { type DifferenceLimits, meshDifference } from "./mesh-difference.ts";
import { type PolicyChange, withPolicies } from "./policy-change.ts";

/**
 * Compiles the mesh without and with a change. Pure; takes as long as two compiles.
 *
 * @param inForce what the compiler goes by instead of policies that it rejects, by key
 */
export function previewChange(
  catalogue: Catalogue,
  change: PolicyChange,
  inForce: ReadonlyMap<string, PolicyObject>,
  registry: Registry,
  limits: DifferenceLimits,
): Preview {
  const before = compile(catalogue, { ...nothingBefore, policiesInForce: inForce });
  const after = compile(withPolicies(catalogue, change), before);
  return meshDifference(before, after, registry, limits);
}
