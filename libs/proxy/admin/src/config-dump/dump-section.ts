/** One message of the dump, such as `envoy.admin.v3.ClustersConfigDump`. */
export interface DumpSection {
  /** Its name, without the package. */
  readonly message: string;
  /** What is not a list. */
  readonly fields: Readonly<Record<string, unknown>>;
  readonly lists: readonly DumpList[];
}

export interface DumpList {
  readonly field: string;
  /** The message of each item, in that of the section. */
  readonly itemMessage: string;
  readonly items: readonly DumpItem[];
}

/** Rendered when it is written, one after the other: a whole dump is never in memory. */
export interface DumpItem {
  readonly name: string;
  readonly json: () => object;
}

/** The `@type` of a message of Envoy's admin API. */
export const adminType = (message: string): string => `type.googleapis.com/envoy.admin.v3.${message}`;
