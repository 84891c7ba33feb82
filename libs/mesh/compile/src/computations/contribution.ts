import { type Computation, computation, type Reading } from "@fairlead/incremental";
import type { PolicyObject } from "@fairlead/model";
import type { NodeView, ProvenanceEntry, ScopeView } from "@fairlead/snapshot";
import type { RenderedResource } from "../compiled.ts";
import { objectsAtFault } from "../validate/require-valid.ts";
import { rejection, type RejectedObject } from "../service-plan.ts";

/** What one computation gives to the mesh. `MeshState` takes it in; who else needs more of it reads a type of its own. */
export interface Contribution {
  readonly resources?: readonly RenderedResource[];
  readonly scope?: ScopeView;
  readonly node?: NodeView;
  /** The policy that is followed. */
  readonly inForce?: PolicyObject | undefined;
  readonly rejected?: readonly RejectedObject[];
}

/**
 * A computation whose value becomes part of the mesh. Where it throws, what it gave last stays, and the policies at fault, or else `blame`, are
 * rejected with the reason.
 *
 * Something must hold it, see roots.ts.
 */
export function contribution<Value extends Contribution>(
  name: string,
  blame: (key: string) => ProvenanceEntry,
  compute: (reading: Reading, key: string, previous: Value | undefined) => Value,
  /** What there is when there was nothing before. @default nothing */
  first: (reading: Reading, key: string) => Value = () => ({}) as Value,
): Computation<Value> {
  return computation<Value>(
    name,
    (reading, key, previous) => {
      try {
        return compute(reading, key, previous);
      } catch (caught) {
        const atFault = objectsAtFault(caught);
        const rejected = (atFault.length > 0 ? atFault : [blame(key)]).map((object) => rejection(object, caught));
        const last = previous ?? attempt(() => first(reading, key)) ?? ({} as Value);
        return { ...last, rejected };
      }
    },
    { isOutput: true },
  );
}

function attempt<Value>(make: () => Value): Value | undefined {
  try {
    return make();
  } catch {
    return undefined;
  }
}
