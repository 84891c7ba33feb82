import { FairleadError } from "@fairlead/errors";
import type { LocalMesh } from "../up/local-mesh.ts";
import type { OutboundCaller } from "../up/outbound-caller.ts";

export interface CheckContext {
  readonly mesh: LocalMesh;
  /** Calls through the visitor's sidecar. */
  readonly caller: OutboundCaller;
}

/** What a check did, in words for its row of the table. */
export interface Evidence {
  readonly sent: string;
  readonly received: string;
}

/** Something that the mesh promises, tried out on a running one. Checks run in order and build on each other. */
export interface Check {
  readonly name: string;
  /** @throws CheckFailed, or what else went wrong */
  run(context: CheckContext): Promise<Evidence>;
}

/** The mesh answered, and not as promised. */
export class CheckFailed extends Error {
  override readonly name = "CheckFailed";
  readonly evidence: Evidence;

  constructor(evidence: Evidence, expected: string) {
    super(`expected ${expected}`);
    this.evidence = evidence;
  }
}

/** @throws CheckFailed unless `holds` */
export function expectThat(holds: boolean, evidence: Evidence, expected: string): void {
  if (!holds) throw new CheckFailed(evidence, expected);
}

export interface CheckResult extends Evidence {
  readonly check: string;
  readonly passed: boolean;
  /** Why it failed; empty when it passed. */
  readonly problem: string;
  readonly durationMs: number;
}

/** Runs one check. Never rejects. */
export async function runCheck(check: Check, context: CheckContext): Promise<CheckResult> {
  const began = performance.now();
  const outcome = (passed: boolean, evidence: Evidence, problem = ""): CheckResult => ({
    check: check.name,
    passed,
    sent: evidence.sent,
    received: evidence.received,
    problem,
    durationMs: Math.round(performance.now() - began),
  });
  try {
    return outcome(true, await check.run(context));
  } catch (caught) {
    if (caught instanceof CheckFailed) return outcome(false, caught.evidence, caught.message);
    const { code, message } = FairleadError.from(caught);
    return outcome(false, { sent: "", received: "" }, `${code}: ${message}`);
  }
}
