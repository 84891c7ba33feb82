import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { ConfigPushedSchema, GatewayStatusSchema } from "@fairlead/fairlead-api";
import {
  array,
  assert as check,
  asyncProperty,
  boolean,
  constantFrom,
  integer,
  oneof,
  record,
  tuple,
} from "fast-check";
import { ConvergenceTracker } from "./convergence-tracker.ts";

const revision = integer({ min: 1, max: 6 });
const statusEvent = record({
  kind: constantFrom("status" as const),
  id: constantFrom("a", "b", "c"),
  revision,
  ranges: array(tuple(revision, revision), { maxLength: 2 }),
  leaving: boolean(),
  late: boolean(),
});
const pushedEvent = record({ kind: constantFrom("pushed" as const), revision });
const tickEvent = record({ kind: constantFrom("tick" as const), steps: integer({ min: 1, max: 30 }) });
const waitEvent = record({ kind: constantFrom("wait" as const), revision });

interface Told {
  readonly revision: number;
  readonly ranges: readonly (readonly [number, number])[];
  readonly atMs: number;
  readonly sinceMs: number;
}

/** The rule as docs/architecture.md has it, over all that was told. */
class Rule {
  compiled = 0;
  readonly told = new Map<string, Told>();
  /** Gateways whose sequence is known: a late status of theirs is dropped. */
  readonly seen = new Set<string>();

  converged(wanted: number, nowMs: number): boolean {
    const live = [...this.told.values()].filter(({ atMs }) => nowMs - atMs < 5000);
    const compiled =
      this.compiled >= wanted || live.some((gateway) => gateway.revision >= wanted && nowMs - gateway.sinceMs >= 2000);
    return (
      compiled &&
      live.length > 0 &&
      live.every(
        (gateway) =>
          gateway.revision >= wanted && !gateway.ranges.some(([first, last]) => first <= wanted && wanted <= last),
      )
    );
  }
}

void test("property: a waiter is answered at the very event that makes its revision converged, and not before", async () => {
  await check(
    asyncProperty(array(oneof(statusEvent, pushedEvent, tickEvent, waitEvent), { maxLength: 40 }), async (events) => {
      mock.timers.enable({ apis: ["setTimeout", "Date"], now: 1_000_000 });
      try {
        const tracker = new ConvergenceTracker({ now: Date.now });
        const rule = new Rule();
        const waiters: { revision: number; answered: boolean; expected: boolean }[] = [];
        let sequence = 100n;
        const compare = async () => {
          await new Promise((resolve) => setImmediate(resolve));
          for (const waiter of waiters) {
            waiter.expected ||= rule.converged(waiter.revision, Date.now());
            assert.equal(waiter.answered, waiter.expected, `revision ${waiter.revision}`);
          }
          for (let wanted = 1; wanted <= 6; wanted++) {
            const report = tracker.report(wanted);
            assert.equal(report.converged, rule.converged(wanted, Date.now()), `report of ${wanted}`);
            assert.equal(report.converged, report.missing.length === 0);
          }
        };
        for (const event of events) {
          if (event.kind === "status") {
            const { id, ranges, leaving, late } = event;
            tracker.gatewayStatus(
              create(GatewayStatusSchema, {
                gatewayId: id,
                revision: BigInt(event.revision),
                sequence: late ? 0n : ++sequence,
                leaving,
                pending: ranges.map(([first, last]) => ({
                  nodeId: "n",
                  firstRevision: BigInt(first),
                  lastRevision: BigInt(last),
                })),
              }),
            );
            const before = rule.told.get(id);
            if (!late || !rule.seen.has(id)) {
              rule.seen.add(id);
              const live = before !== undefined && Date.now() - before.atMs < 5000;
              if (leaving) rule.told.delete(id);
              else
                rule.told.set(id, {
                  revision: event.revision,
                  ranges,
                  atMs: Date.now(),
                  sinceMs: live && before.revision === event.revision ? before.sinceMs : Date.now(),
                });
            }
          } else if (event.kind === "pushed") {
            tracker.configPushed(create(ConfigPushedSchema, { revision: BigInt(event.revision) }));
            rule.compiled = Math.max(rule.compiled, event.revision);
          } else if (event.kind === "tick") {
            // Step by step, as a clock goes: a state that lasts for one step answers too.
            for (let step = 0; step < event.steps; step++) {
              mock.timers.tick(100);
              for (const waiter of waiters) waiter.expected ||= rule.converged(waiter.revision, Date.now());
            }
          } else {
            const waiter = { revision: event.revision, answered: false, expected: false };
            waiters.push(waiter);
            void tracker.wait(event.revision, 1e9).then(() => (waiter.answered = true));
          }
          await compare();
        }
      } finally {
        mock.timers.reset();
      }
    }),
    { numRuns: 300 },
  );
});
