import type { Quantiles } from "../quantiles.ts";
import type { Counters } from "./counters.ts";
import type { Variant } from "./variant.ts";

export interface LoadSize {
  readonly port: number;
  readonly variant: Variant;
  readonly streams: number;
  /** TCP connections that the streams share. 0 = one each. */
  readonly connections: number;
  /** Of the streams, those that never read. */
  readonly silentShare: number;
  /** Of the streams, those that NACK all that they get. */
  readonly refusingShare: number;
}

/** What the load process can be asked; each is answered by the result of the same name. */
export interface LoadOperations {
  open(request: LoadSize & { readonly deadlineMs: number }): Quantiles;
  expect(request: { readonly marker: number; readonly mark: number; readonly atMs: number }): null;
  everywhere(request: { readonly marker: number; readonly mark: number; readonly deadlineMs: number }): Quantiles;
  summary(request: null): { readonly each: Quantiles; readonly last: Quantiles };
  state(request: null): LoadState;
  close(request: null): null;
}

export type Counts = Readonly<
  Pick<
    Counters,
    "streams" | "lost" | "cut" | "responses" | "endpointResponses" | "resources" | "bytes" | "acks" | "nacks"
  >
>;

export interface LoadState {
  /** Proxies that behave. */
  readonly good: number;
  readonly counters: Counts;
  /** By marker, the different marks that proxies have. */
  readonly marks: readonly (readonly number[])[];
  /** User and system time of the load process. */
  readonly cpuSeconds: number;
}

export type LoadRequest = {
  readonly [Name in keyof LoadOperations]: {
    readonly id: number;
    readonly operation: Name;
    readonly request: Parameters<LoadOperations[Name]>[0];
  };
}[keyof LoadOperations];

export type LoadAnswer =
  { readonly id: number; readonly result: unknown } | { readonly id: number; readonly error: string };
