import type { Catalogue, Change } from "@fairlead/model";

/** A part of the change log. */
export type ChangePage =
  | { readonly gap: false; readonly changes: readonly Change[]; readonly revision: number }
  /** The log no longer reaches back to the asked revision: take a snapshot. */
  | { readonly gap: true };

export interface ChangesAsked {
  /** Rows of a page, about. @default 1000 */
  readonly limit?: number;
  /** Nodes whose id begins so are left out, with their instances: whoever writes them knows them. @default none are */
  readonly exceptNodes?: string;
}

/** The locks that services share, by name. */
export const lockNames = {
  /** Of the config-compiler that is active. */
  compiler: "config-compiler",
} as const;

/** Held by one session of one process; PostgreSQL gives it to the next one when the session ends. */
export interface AdvisoryLock {
  /** Aborted when the session that holds it was lost: whoever holds it must stop at once. */
  readonly lost: AbortSignal;
  release(): Promise<void>;
}

/** What consumers of the catalogue read. All methods reject with FL_STORE_UNAVAILABLE when PostgreSQL does not answer. */
export interface CatalogueReader {
  /** The newest revision. */
  revision(): Promise<number>;
  /** Everything, consistent at one revision. */
  snapshot(): Promise<Catalogue>;
  /** The changes after `revision`, in order, whole revisions only. `revision` of the page is the last that is complete. */
  changesSince(revision: number, asked?: ChangesAsked): Promise<ChangePage>;
  /** @returns undefined when another session holds it */
  tryLock(name: string): Promise<AdvisoryLock | undefined>;
}
