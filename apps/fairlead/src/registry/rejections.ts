import { type ConvergenceReport, originText, type RejectedObject } from "@fairlead/registration";
import type { Style } from "../terminal/style.ts";

const staysAsItWas = "what each said when it last could be compiled stays, where that still can be";

/** What becomes of an object that the compiler rejects. */
const effects: Readonly<Record<string, string>> = {
  FL_POLICY_DESTINATION_UNKNOWN: `${staysAsItWas}; calls to a destination that is gone get 503`,
  FL_POLICY_CONFLICT: "the first by namespace and name counts; the rest of each named is in force",
  FL_SERVICE_NAME_TAKEN: "the first of the services alone can be called by its name",
};

/** Under a heading of what is in force instead, each with its place. */
export function rejectionLines(heading: string, rejected: readonly RejectedObject[], style: Style): string[] {
  const groups = Map.groupBy(rejected, ({ code }) => effects[code] ?? staysAsItWas);
  return [...groups].flatMap(([effect, objects]) => [
    `${heading}; ${effect}:`,
    ...objects.map((object) => `  ${originText(object)}: ${style("red", object.code)}: ${object.message}`),
  ]);
}

interface Change {
  readonly convergence?: Pick<ConvergenceReport, "rejected"> | undefined;
}

/** Objects that could be compiled before a change, and cannot with it. */
export function brokenBy({ convergence }: Change): RejectedObject[] {
  return (convergence?.rejected ?? []).filter(({ already }) => !already);
}
