import { join } from "node:path";
import { sidecarConfig } from "@fairlead/sidecar";
import type { Contender } from "./contender.ts";
import { writeSidecarConfig } from "./sidecar-config.ts";
import { type SidecarProgram, sidecarSources } from "./sidecar-program.ts";

/** As the image starts it: see Dockerfile. */
const imageFlags = ["--max-semi-space-size=8", "--no-maglev"];
const imageEnvironment = ["MALLOC_ARENA_MAX=1"];
const workersSetting = "FAIRLEAD_CONCURRENCY";
const hasWorkers = sidecarConfig.rows().some(({ variable }) => variable === workersSetting);

/** The sidecar's own process, with what the compiler makes of the service as its last good configuration: no control plane runs. */
export const fairleadFrom = ({ main, note }: SidecarProgram): Contender => ({
  name: "Fairlead",
  note,
  takes: ({ workers }) => workers === 1 || hasWorkers,
  command: (what, input) => [
    "env",
    // Of the machine, where it has one: an image has none, and the certificates take memory.
    "--unset=NODE_EXTRA_CA_CERTS",
    ...imageEnvironment,
    "FAIRLEAD_APP=caller",
    "FAIRLEAD_NODE_ID=caller",
    `FAIRLEAD_OUTBOUND_PORT=${input.port}`,
    "FAIRLEAD_OUTBOUND_RPC_PORT=0",
    "FAIRLEAD_API_PORT=0",
    "FAIRLEAD_ADMIN_PORT=0",
    `FAIRLEAD_LAST_GOOD_CONFIG=${join(input.folder, "config")}`,
    // Nobody answers there.
    "FAIRLEAD_ADS_ADDRESS=127.0.0.1:1",
    "FAIRLEAD_REGISTRY_URL=http://127.0.0.1:1",
    "FAIRLEAD_LOG_LEVEL=fatal",
    ...(what.accessLog ? [`FAIRLEAD_ACCESS_LOG=file:${join(input.folder, "access.log")}`] : []),
    ...(hasWorkers ? [`${workersSetting}=${what.workers}`] : []),
    process.execPath,
    ...imageFlags,
    main,
  ],
  prepare: writeSidecarConfig,
});

/** From its sources. */
export const fairlead = fairleadFrom(sidecarSources);
