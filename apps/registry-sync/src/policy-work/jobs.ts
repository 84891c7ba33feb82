import type { ErrorMeaning } from "@fairlead/errors";
import type { PolicyObject } from "@fairlead/model";
import type { RequestToExplain, RouteTaken } from "@fairlead/proxy-explain";
import type { Preview, PreviewedObject, RejectedObject } from "@fairlead/registration";
import type { PolicyChange } from "../preview/policy-change.ts";

/** What the thread is made with. */
export interface ThreadData {
  readonly databaseUrl: string;
}

/** What the thread can be asked to do. */
export type Job =
  | { readonly kind: "parse"; readonly text: string; readonly file: string }
  | { readonly kind: "rejected" }
  | { readonly kind: "route"; readonly routes: Uint8Array; readonly request: RequestToExplain }
  | { readonly kind: "preview"; readonly change: PolicyChange; readonly inForce: ReadonlyMap<string, PolicyObject> };

/** Of each kind of job. */
export interface JobResults {
  readonly parse: readonly PolicyObject[];
  /** What the compiler does not take of the catalogue as it is. */
  readonly rejected: { readonly revision: number; readonly rejected: readonly RejectedObject[] };
  readonly route: RouteTaken;
  readonly preview: {
    /** Of the catalogue that the change was compared with. */
    readonly revision: number;
    readonly objects: readonly PreviewedObject[];
    readonly preview: Preview;
  };
}

/** What the thread says: once that it can work, then an answer for each job. */
export type ThreadMessage = "ready" | JobAnswer;

/** What the thread says when a job is done. */
export type JobAnswer =
  | { readonly result: JobResults[Job["kind"]] }
  | {
      readonly error: {
        readonly code: string;
        readonly message: string;
        readonly facts: object;
        /** What the code means, where the thread knows it: the code that it loads is not all loaded beside it. */
        readonly meaning: Pick<ErrorMeaning, "httpStatus" | "action"> | undefined;
      };
    };
