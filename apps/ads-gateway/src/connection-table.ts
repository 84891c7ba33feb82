import { mergeTouched, type ReplicaCommit, type SnapshotReplica, type TouchedNames } from "@fairlead/snapshot";
import type { ProxyConnection } from "./proxy-connection.ts";

/** The streams of a gateway. One node may have several (rule 9). */
export class ConnectionTable {
  readonly #all = new Set<ProxyConnection>();
  readonly #byNode = new Map<string, Set<ProxyConnection>>();
  readonly #pending = new Set<ProxyConnection>();

  /** Streams, also those that have not named their node. */
  get size(): number {
    return this.#all.size;
  }

  /** Those that have not ACKed all of their configuration. */
  get pending(): ReadonlySet<ProxyConnection> {
    return this.#pending;
  }

  get named(): number {
    let count = 0;
    for (const connections of this.#byNode.values()) count += connections.size;
    return count;
  }

  all(): Iterable<ProxyConnection> {
    return this.#all;
  }

  nodeIds(): Iterable<string> {
    return this.#byNode.keys();
  }

  ofNode(nodeId: string): Iterable<ProxyConnection> {
    return this.#byNode.get(nodeId) ?? [];
  }

  add(connection: ProxyConnection): void {
    this.#all.add(connection);
  }

  name(connection: ProxyConnection, nodeId: string): void {
    const connections = this.#byNode.get(nodeId);
    if (connections === undefined) this.#byNode.set(nodeId, new Set([connection]));
    else connections.add(connection);
  }

  /** Looks again whether the connection has something pending. @returns whether it has, or had */
  notePending(connection: ProxyConnection): boolean {
    const had = this.#pending.has(connection);
    const has = connection.pending().length > 0;
    if (has) this.#pending.add(connection);
    else this.#pending.delete(connection);
    return had || has;
  }

  delete(connection: ProxyConnection): void {
    this.#all.delete(connection);
    this.#pending.delete(connection);
    const nodeId = connection.facts?.nodeId;
    if (nodeId === undefined) return;
    const connections = this.#byNode.get(nodeId);
    connections?.delete(connection);
    if (connections?.size === 0) this.#byNode.delete(nodeId);
  }

  /** The streams whose view a commit touched, each with what it touched. */
  *touchedBy(commit: ReplicaCommit, replica: SnapshotReplica): Iterable<[ProxyConnection, TouchedNames]> {
    if (commit.changedScopes.size === 0) {
      // Only nodes' own parts: the rest of the mesh is not looked at.
      for (const [nodeId, names] of commit.changedNodes) {
        for (const connection of this.ofNode(nodeId)) yield [connection, names];
      }
      return;
    }
    for (const [nodeId, connections] of this.#byNode) {
      const byScope = commit.changedScopes.get(replica.scopeOf(nodeId));
      const byNode = commit.changedNodes.get(nodeId);
      const touched =
        byScope !== undefined && byNode !== undefined ? mergeTouched(byScope, byNode) : (byScope ?? byNode);
      if (touched === undefined) continue;
      for (const connection of connections) yield [connection, touched];
    }
  }
}
