import { once } from "node:events";
import type { Progress } from "../terminal/progress.ts";
import { ConstantLoad, type LoadSummary } from "./constant-load.ts";
import { OutboundCaller } from "./outbound-caller.ts";
import { reviewsVersion } from "./served-by.ts";

const reportEveryMs = 3000;

export interface SampleTrafficOptions {
  /** Of the visitor's sidecar. */
  readonly port: number;
  readonly callsPerSecond: number;
  readonly progress: Progress;
  readonly ending: AbortSignal;
}

/** `60 calls, 0 failed; reviews v1 30, v2 30` */
export function trafficLine(summary: LoadSummary): string {
  const served = [...summary.served]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([version, count]) => `${version} ${count}`);
  const failures = summary.failures === 0 ? "0 failed" : `${summary.failures} FAILED (${summary.examples[0] ?? ""})`;
  return `${summary.calls} calls, ${failures}${served.length === 0 ? "" : `; reviews ${served.join(", ")}`}`;
}

/** Asks for the storefront's page at a constant rate, and says on a terminal what came of it. Failures are said everywhere. */
export class SampleTraffic {
  readonly #options: SampleTrafficOptions;

  constructor(options: SampleTrafficOptions) {
    this.#options = options;
  }

  /** Resolves when the session ends. */
  async run(): Promise<void> {
    const { port, callsPerSecond, progress, ending } = this.#options;
    const caller = new OutboundCaller(port);
    const load = new ConstantLoad({
      call: async () => await caller.get("shop.Storefront", "/"),
      callsPerSecond,
      label: reviewsVersion,
    });
    load.start();
    const report = setInterval(() => {
      const summary = load.take();
      const line = `  traffic: ${trafficLine(summary)}`;
      if (summary.failures > 0) progress.line(line);
      else progress.transient(line);
    }, reportEveryMs);
    try {
      if (!ending.aborted) await once(ending, "abort");
    } finally {
      clearInterval(report);
      await load.stop();
      caller.close();
    }
  }
}
