import type { BenchRun } from "../bench-run.ts";
import { machineMs } from "../clock.ts";

export interface Reconnects {
  /** ms from the start of the new process until it was ready to serve. */
  readonly readyMs: number;
  /** ms from the start of the new process until all proxies had ACKed what changed while there was none. */
  readonly allAckedMs: number;
  readonly sentMiB: number;
  readonly gatewayCpuSeconds: number;
}

/** The gateway is killed, one endpoint changes, the gateway is started again on the same port: all proxies come at once. */
export async function measureReconnects({ controlPlane, changes, load, progress }: BenchRun): Promise<Reconnects> {
  const { gateway } = controlPlane;
  progress("the gateway is killed");
  const before = (await load.ask("state", null)).counters;
  await gateway.stop("SIGKILL");
  const change = await changes.make(0);
  const startedMs = machineMs();
  gateway.start();
  await controlPlane.gatewayReady();
  const readyMs = machineMs() - startedMs;
  progress("all proxies connect again");
  const { max } = await changes.everywhere(load, change);
  const { bytes } = (await load.ask("state", null)).counters;
  return {
    readyMs,
    allAckedMs: max - (startedMs - change.askedMs),
    sentMiB: (bytes - before.bytes) / 2 ** 20,
    gatewayCpuSeconds: gateway.cpuSeconds(),
  };
}
