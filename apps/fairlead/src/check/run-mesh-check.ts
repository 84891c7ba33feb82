import type { CommandOutput } from "../commands/output.ts";
import { writeJson } from "../commands/output.ts";
import type { UpOptions } from "../up/up-options.ts";
import { Progress } from "../terminal/progress.ts";
import { type Style, styleFor } from "../terminal/style.ts";
import { renderTable } from "../terminal/table.ts";
import { renderTimeSpan } from "../terminal/time-span.ts";
import { OutboundCaller } from "../up/outbound-caller.ts";
import { withMesh } from "../up/session.ts";
import { shopWithoutSecondReviews, startShop } from "../up/shop.ts";
import { type CheckResult, runCheck } from "./check.ts";
import { checks } from "./checks.ts";

function checkTable(results: readonly CheckResult[], style: Style): string {
  const rows = results.map((result) => [
    result.check,
    result.sent,
    result.problem === ""
      ? result.received
      : `${result.received}${result.received === "" ? "" : "; "}${result.problem}`,
    result.passed ? style("green", "passed") : style("red", "FAILED"),
  ]);
  return renderTable(["CHECK", "SENT", "RECEIVED", "RESULT"], rows, { maxCellWidth: 60 });
}

/**
 * `fairlead up --check`: a mesh on free ports and a temporary folder, the checks, a table of what each sent and got.
 *
 * @returns the exit code: 0 when every check passed
 */
export async function runMeshCheck(options: UpOptions, output: CommandOutput): Promise<number> {
  const began = performance.now();
  const json = options.json === true;
  const stream = json ? output.err : output.out;
  const style = styleFor(stream);
  const progress = new Progress(stream, style);
  progress.line("Fairlead: checking the whole road");

  const results = await withMesh(
    {
      up: { ...options, freePorts: options.portBase === undefined },
      temporaryFolder: options.dataFolder === undefined,
      progress,
    },
    async ({ mesh, ending }) => {
      await mesh.start();
      const visitor = await startShop(mesh, mesh.firstSidecarPorts, shopWithoutSecondReviews);
      const caller = new OutboundCaller(visitor.ports.outbound);
      const done: CheckResult[] = [];
      try {
        for (const check of checks) {
          if (ending.aborted) break;
          const result = await runCheck(check, { mesh, caller });
          done.push(result);
          const mark = result.passed ? style("green", "✓") : style("red", "✗");
          progress.line(`  ${mark} ${style("bold", result.check)}  ${style("dim", renderTimeSpan(result.durationMs))}`);
          progress.line(
            `      sent      ${result.sent}\n      received  ${result.received}${result.problem === "" ? "" : `\n      ${style("red", result.problem)}`}`,
          );
        }
      } finally {
        caller.close();
      }
      return done;
    },
  );
  if (results === undefined) return 1;
  const passed = results.filter((result) => result.passed).length;
  const seconds = (performance.now() - began) / 1000;
  if (json)
    writeJson(output, { passed: passed === results.length, durationMs: Math.round(seconds * 1000), checks: results });
  else
    output.out.write(
      `\n${checkTable(results, style)}\n\n${passed} of ${results.length} checks passed in ${seconds.toFixed(1)} s\n`,
    );
  return passed === results.length ? 0 : 1;
}
