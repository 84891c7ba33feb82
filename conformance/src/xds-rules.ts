import type { TestResult } from "./xds-run.ts";

/** The four ways in which a rule is tested over the wire. */
export const wires = ["SotW, ADS", "SotW, single type", "delta, ADS", "delta, single type"] as const;
export type Wire = (typeof wires)[number];

/** One statement of a rule, with its results by wire. */
export interface RuleStatement {
  readonly rule: number;
  readonly says: string;
  readonly results: ReadonlyMap<Wire, boolean>;
}

export interface CollectedRules {
  readonly statements: readonly RuleStatement[];
  /** Rule to the tests of the state machine that name it. */
  readonly stateMachine: ReadonlyMap<number, { readonly passed: number; readonly failed: number }>;
  /** Names of tests. */
  readonly failures: readonly string[];
  /** Numbers of rules without a test. */
  readonly missing: readonly number[];
  readonly covered: number;
  readonly total: number;
  readonly tests: number;
}

const total = 74;
const overWire = /^rule (\d+): (.*) \[([^\]]+)\]$/;
const ofStateMachine = /^rules? ([\d, to]+):? /;

/** Numbers in `62, 63` or `35 to 40`. */
function numbersIn(text: string): number[] {
  return text.split(",").flatMap((part) => {
    const [first = 0, last = first] = part.split("to").map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}

/** Finds the rules in the names of tests. */
export function collectRules(tests: readonly TestResult[]): CollectedRules {
  const statements = new Map<string, { rule: number; says: string; results: Map<Wire, boolean> }>();
  const stateMachine = new Map<number, { passed: number; failed: number }>();
  const failures: string[] = [];
  const seen = new Set<number>();
  for (const { name, passed } of tests) {
    if (!passed) failures.push(name);
    const [, number, says = "", place] = overWire.exec(name) ?? [];
    const wire = wires.find((one) => one === place);
    if (number !== undefined && wire !== undefined) {
      const rule = Number(number);
      const key = `${rule} ${says}`;
      const statement = statements.get(key) ?? { rule, says, results: new Map<Wire, boolean>() };
      statement.results.set(wire, passed);
      statements.set(key, statement);
      seen.add(rule);
      continue;
    }
    for (const rule of numbersIn(ofStateMachine.exec(name)?.[1] ?? "").filter((one) => one > 0)) {
      const count = stateMachine.get(rule) ?? { passed: 0, failed: 0 };
      if (passed) count.passed++;
      else count.failed++;
      stateMachine.set(rule, count);
    }
  }
  const missing = Array.from({ length: total }, (_, index) => index + 1).filter((rule) => !seen.has(rule));
  return {
    statements: [...statements.values()].sort((a, b) => a.rule - b.rule || (a.says < b.says ? -1 : 1)),
    stateMachine,
    failures,
    missing,
    covered: seen.size,
    total,
    tests: tests.length,
  };
}
