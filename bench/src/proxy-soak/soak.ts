import { Backend } from "@fairlead/proxy-runtime/testing/backend";
import { freePort } from "@fairlead/testing-basics";
import { SteadyLoad } from "@fairlead/testing-load";
import type { Progress } from "../control-plane/progress.ts";
import { type MeshState, ScriptedMesh } from "./scripted-mesh.ts";
import { SidecarProcess } from "./sidecar-process.ts";

export interface SoakOptions {
  readonly seconds: number;
  /** Between an answer and a client's next request, in milliseconds: what makes the load. */
  readonly pauseMs: number;
  readonly clients: number;
  readonly drainSeconds: number;
}

export interface SoakResult {
  readonly requests: number;
  /** The first of them; `failed` is their number. */
  readonly failures: readonly string[];
  readonly failed: number;
  readonly pushes: number;
  readonly listenersReplaced: number;
  readonly endpointsDrained: number;
  readonly restarts: number;
  /** Requests that the proxy has counted, over all of its processes. */
  readonly counted: number;
  /** CPU time of the serving processes by time of the load, between restarts. */
  readonly cores: number;
  readonly residentMiB: number;
}

const pushesARound = 100;
const progressPerPush = 5;

/** A sidecar under steady load, and everything about it is changed. Rounds until the time is over, and at least one. */
export async function soak(options: SoakOptions, progress: Progress): Promise<SoakResult> {
  const [outbound, inbound, admin, api, port, innerPort] = await Promise.all(Array.from({ length: 6 }, freePort));
  const mesh = new ScriptedMesh(outbound!);
  await mesh.start();
  let backends = [await Backend.named("0"), await Backend.named("1"), await Backend.named("2")];
  const portsOf = () => backends.map((backend) => backend.port);
  let state: MeshState = {
    clusterRevision: 0,
    ports: portsOf(),
    listener: { name: "in0", port: port!, kind: "http", revision: 0 },
    innerPort: innerPort!,
    innerRevision: 0,
  };
  mesh.say(state);
  const ports = { outbound: outbound!, inbound: inbound!, admin: admin!, api: api! };
  const sidecar = new SidecarProcess(ports, mesh.address, options.drainSeconds);
  const change = async (part: Partial<MeshState>): Promise<void> => {
    state = { ...state, ...part };
    await mesh.push(state);
  };
  const done = { listenersReplaced: 0, endpointsDrained: 0, restarts: 0 };
  let cpu = 0;
  let seconds = 0;
  try {
    await sidecar.serving();
    const { clients, pauseMs } = options;
    await using load = new SteadyLoad({
      port: port!,
      host: "soak",
      keepAlive: clients,
      newConnections: clients / 2,
      http2: clients / 2,
      pauseMs,
    });
    const end = performance.now() + options.seconds * 1000;
    do {
      progress.step(
        `round ${done.restarts + 1}: ${pushesARound} pushes; ${load.total} requests, ${load.failures.length} failed`,
      );
      const [cpuBefore, before] = [sidecar.cpuSeconds(), performance.now()];
      for (let i = 0; i < pushesARound; i++) {
        const { clusterRevision, listener } = state;
        await change({
          clusterRevision: clusterRevision + (i % 10 === 0 ? 1 : 0),
          listener: { ...listener, revision: listener.revision + 1 },
          ports: i % 2 === 0 ? portsOf().slice(1) : portsOf(),
        });
        await load.progress(progressPerPush);
      }
      cpu += sidecar.cpuSeconds() - cpuBefore;
      seconds += (performance.now() - before) / 1000;
      progress.step("listeners replaced: by name, by protocol, and back");
      for (const next of [{ name: "in1" }, { kind: "tcp" as const }, { kind: "http" as const }, { name: "in0" }]) {
        await change({ listener: { ...state.listener, ...next } });
        await load.progress(clients * 20);
        done.listenersReplaced++;
      }
      // Bytes that are passed on cannot be asked to end: who is behind them can.
      await change({ innerRevision: state.innerRevision + 1 });
      await load.progress(clients * 20);
      done.listenersReplaced++;
      progress.step("an endpoint drains, goes, and its server stops");
      const [leaving, ...kept] = backends;
      await change({ ports: portsOf(), draining: leaving!.port });
      await load.progress(clients * 10);
      backends = [...kept, await Backend.named("next")];
      const { draining: _gone, ...rest } = state;
      state = rest;
      await change({ ports: portsOf() });
      await load.progress(clients * 10);
      await leaving![Symbol.asyncDispose]();
      done.endpointsDrained++;
      progress.step(`a hot restart; ${load.total} requests, ${load.failures.length} failed`);
      await sidecar.restart();
      await load.progress(clients * 20);
      done.restarts++;
    } while (performance.now() < end);
    await load.stop();
    const counted =
      (await sidecar.stat("^http.inner.downstream_rq_total$")) + (await countedOf(sidecar, ["in0", "in1"]));
    return {
      requests: load.total,
      failed: load.failures.length,
      failures: load.failures.slice(0, 20),
      pushes: mesh.acked,
      ...done,
      counted,
      cores: cpu / seconds,
      residentMiB: sidecar.residentMiB(),
    };
  } finally {
    await sidecar.stop();
    mesh.stop();
    for (const backend of backends) await backend[Symbol.asyncDispose]();
  }
}

async function countedOf(sidecar: SidecarProcess, prefixes: readonly string[]): Promise<number> {
  let sum = 0;
  for (const prefix of prefixes) sum += (await sidecar.stat(`^http.${prefix}.downstream_rq_total$`)) || 0;
  return sum;
}
