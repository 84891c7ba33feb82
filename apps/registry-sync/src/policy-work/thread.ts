/** The worker thread for what takes longer than the event loop of registry-sync may be held up: one job at a time. */
import { parentPort, workerData } from "node:worker_threads";
import { FairleadError, meaningOf } from "@fairlead/errors";
import { createLogger } from "@fairlead/logging";
import type { Catalogue } from "@fairlead/model";
import { parsePolicies } from "@fairlead/policy";
import { openStore, type Store } from "@fairlead/store";
import { rejectedObject } from "../preview/mesh-difference.ts";
import { previewedObjects } from "../preview/previewed-objects.ts";
import { PreviewCompiler } from "../preview/preview-compiler.ts";
import { envoyMessages } from "../readable/envoy-messages.ts";
import type { Job, JobAnswer, JobResults, ThreadData, ThreadMessage } from "./jobs.ts";

/** What an answer may hold: a few megabytes as JSON. */
const limits = { maxDiffChars: 40_000, maxTotalDiffChars: 4_000_000 };

/** Of no weight before its first job. */
const compiler = new PreviewCompiler();
let store: Promise<Store> | undefined;
let registry: ReturnType<typeof envoyMessages> | undefined;

async function readCatalogue(): Promise<Catalogue> {
  // Of its own: rows of a large catalogue are made in this thread, too.
  store ??= openStore({
    url: (workerData as ThreadData).databaseUrl,
    logger: createLogger({ service: "registry-sync", level: "silent" }),
    poolSize: 1,
  });
  return await (await store).snapshot();
}

async function preview(job: Job & { kind: "preview" }): Promise<JobResults["preview"]> {
  registry ??= envoyMessages();
  const catalogue = await readCatalogue();
  return {
    revision: catalogue.revision,
    objects: previewedObjects(catalogue, job.change),
    preview: compiler.preview(catalogue, job.change, job.inForce, await registry, limits),
  };
}

async function rejectedNow(): Promise<JobResults["rejected"]> {
  const catalogue = await readCatalogue();
  return { revision: catalogue.revision, rejected: compiler.rejected(catalogue).map(rejectedObject) };
}

async function resultOf(job: Job): Promise<JobResults[Job["kind"]]> {
  switch (job.kind) {
    case "parse":
      return parsePolicies(job.text, job).policies.map(({ object }) => object);
    case "preview":
      return await preview(job);
    case "route": {
      // Most threads never need the proxy's code.
      const { routeTaken } = await import("@fairlead/proxy-explain");
      return routeTaken(job.routes, job.request);
    }
    case "rejected":
      return await rejectedNow();
  }
}

async function answerOf(job: Job): Promise<JobAnswer> {
  try {
    return { result: await resultOf(job) };
  } catch (caught) {
    const { code, message, facts } = FairleadError.from(caught);
    const { httpStatus, action } = meaningOf(code) ?? {};
    const meaning = httpStatus === undefined || action === undefined ? undefined : { httpStatus, action };
    return { error: { code, message, facts, meaning } };
  }
}

function say(message: ThreadMessage): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  parentPort?.postMessage(message);
}

parentPort?.on("message", (job: Job) => void answerOf(job).then(say));
say("ready");
