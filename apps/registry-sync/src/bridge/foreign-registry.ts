import type { AskedEndpoint, ExportedProvider, Provider, RuleDocument } from "@fairlead/dubbo-registry";

/** All that a registry holds. A source is where something was read: the path of a node, the name of a service. */
export interface RegistryReading {
  readonly providers: ReadonlyMap<string, readonly Provider[]>;
  readonly rules: ReadonlyMap<string, RuleDocument>;
  /** Sources that have not said yet what they serve: each is told as soon as it is known, also as nothing where it is gone. */
  readonly asked?: ReadonlyMap<string, AskedEndpoint>;
}

/** What a registry outside the mesh tells of itself. */
export interface ForeignRegistryEvents {
  /** Everything was read: at the beginning, and after each time without a connection. */
  onAll(reading: RegistryReading): void;
  /** What is at one source now; nothing: it is gone. */
  onProviders(source: string, providers: readonly Provider[]): void;
  /** What a rule says now; undefined: it is gone. */
  onRule(source: string, document: RuleDocument | undefined): void;
  /** The connection is lost: what was told stays as it is. */
  onSuspended(): void;
}

/**
 * A registry of another world, read and written: what the bridge needs of ZooKeeper, Nacos or any other. An implementation owes:
 *
 * - **Reading.** After `start`, and after each lost connection, one `onAll` with everything, then a change at a time. Nothing that changed
 *   while it was read, or while it could not be reached, is lost: what cannot be followed is read again. `onAll` is never told of a part.
 *   Whose layout it is stays in the implementation: sources are opaque, and the same for the same thing each time.
 * - **No loops.** What carries the mark of a mesh (`originParameter`), whichever mesh it is, is not told.
 * - **Silence is no news.** A registry that cannot be reached is `onSuspended`, not an empty one; a connection that carries nothing any more
 *   counts as lost within the session time. Which of what is missing afterwards is gone, and when, is the ledger's to decide.
 * - **Writing.** `export` makes exactly these the mesh's own there, in all forms that consumers look for, marked with the provider's origin,
 *   and repeats it by itself after whatever went wrong. What it makes ends with its connection or session, also where the process dies. It
 *   changes nothing that others made, but for lists that all share by the registry's own rule, by compare and set.
 * - **No exceptions.** Neither method throws or rejects because of the registry; troubles are logged and tried again.
 */
export interface ForeignRegistry {
  readonly connected: boolean;
  /** Instances that do not say what they serve, and are asked again. */
  readonly asked: number;
  /** What it did not read as it was too much. */
  readonly leftOut: number;
  start(): void;
  /** Ends the connection: what was exported over it is gone at once. Nothing is told any more. */
  stop(): Promise<void>;
  /** Replaces what was given before. */
  export(providers: readonly ExportedProvider[]): void;
}
