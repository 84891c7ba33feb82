import type { Provider } from "@fairlead/dubbo-registry";

/** What a registry outside the mesh tells of itself. A source is where something was read: the path of a node. */
export interface ForeignRegistryEvents {
  /** Everything was read: at the beginning, and after each time without a connection. */
  onAll(sources: ReadonlyMap<string, readonly Provider[]>): void;
  /** What is at one source now; nothing: it is gone. */
  onChange(source: string, providers: readonly Provider[]): void;
  /** The connection is lost: what was told stays as it is. */
  onSuspended(): void;
}

/** A node that the mesh has in a registry for as long as it lives. */
export interface ExportedNode {
  readonly path: string;
  readonly data: string;
}

/** A registry of another world, read and written. */
export interface ForeignRegistry {
  readonly connected: boolean;
  start(): void;
  /** Ends the connection: what was exported over it is gone at once. */
  stop(): Promise<void>;
  /** Makes exactly these the mesh's own nodes there; repeated by itself after a lost session. */
  export(nodes: readonly ExportedNode[]): void;
}
