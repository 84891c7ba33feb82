import { mergeTouched, type ReplicaCommit, type TouchedNames } from "@fairlead/snapshot";
import type { ProxyConnection } from "./proxy-connection.ts";

/** A connection, as far as the table looks at it. */
type TableEntry = Pick<ProxyConnection, "facts" | "peer" | "hasPending">;

/** The streams of one node. */
interface NodeStreams<Connection> {
  scopeId: string;
  readonly connections: Set<Connection>;
}

/**
 * The streams of a gateway, by node and by the scope of their node. One node may have several streams (rule 9).
 *
 * The scope index is what makes a commit cost what it touches: a change of one scope looks at that scope's streams only.
 */
export class ConnectionTable<Connection extends TableEntry = ProxyConnection> {
  readonly #scopeOf: (nodeId: string) => string;
  readonly #all = new Set<Connection>();
  readonly #byNode = new Map<string, NodeStreams<Connection>>();
  readonly #nodesOfScope = new Map<string, Set<string>>();
  readonly #byPeer = new Map<string, Set<Connection>>();
  readonly #pending = new Set<Connection>();
  #named = 0;
  #nodeIdsVersion = 0;

  constructor(scopeOf: (nodeId: string) => string) {
    this.#scopeOf = scopeOf;
  }

  /** Streams, also those that have not named their node. */
  get size(): number {
    return this.#all.size;
  }

  /** Streams that have named their node. */
  get named(): number {
    return this.#named;
  }

  /** Those that have not ACKed all of their configuration. */
  get pending(): ReadonlySet<Connection> {
    return this.#pending;
  }

  all(): Iterable<Connection> {
    return this.#all;
  }

  nodeIds(): Iterable<string> {
    return this.#byNode.keys();
  }

  /** Grows with each change of `nodeIds`. */
  get nodeIdsVersion(): number {
    return this.#nodeIdsVersion;
  }

  ofNode(nodeId: string): Iterable<Connection> {
    return this.#byNode.get(nodeId)?.connections ?? [];
  }

  /** @param peer a TCP connection, which may have several streams */
  ofPeer(peer: string): Iterable<Connection> {
    return this.#byPeer.get(peer) ?? [];
  }

  add(connection: Connection): void {
    this.#all.add(connection);
    const ofPeer = this.#byPeer.get(connection.peer);
    if (ofPeer === undefined) this.#byPeer.set(connection.peer, new Set([connection]));
    else ofPeer.add(connection);
  }

  name(connection: Connection, nodeId: string): void {
    let node = this.#byNode.get(nodeId);
    if (node === undefined) {
      node = { scopeId: this.#scopeOf(nodeId), connections: new Set() };
      this.#byNode.set(nodeId, node);
      this.#nodeIdsVersion++;
      this.#enter(node.scopeId, nodeId);
    }
    node.connections.add(connection);
    this.#named++;
  }

  /** Looks again whether the connection has something pending. @returns whether it has, or had */
  notePending(connection: Connection): boolean {
    const had = this.#pending.has(connection);
    const has = connection.hasPending;
    if (has) this.#pending.add(connection);
    else this.#pending.delete(connection);
    return had || has;
  }

  delete(connection: Connection): void {
    this.#all.delete(connection);
    this.#pending.delete(connection);
    const ofPeer = this.#byPeer.get(connection.peer);
    ofPeer?.delete(connection);
    if (ofPeer?.size === 0) this.#byPeer.delete(connection.peer);
    const nodeId = connection.facts?.nodeId;
    const node = nodeId === undefined ? undefined : this.#byNode.get(nodeId);
    if (nodeId === undefined || node?.connections.delete(connection) !== true) return;
    this.#named--;
    if (node.connections.size > 0) return;
    this.#byNode.delete(nodeId);
    this.#nodeIdsVersion++;
    this.#leave(node.scopeId, nodeId);
  }

  /** The streams whose view a commit touched, each with what it touched. To be called once a commit, when it is in force. */
  *touchedBy(commit: ReplicaCommit): Iterable<[Connection, TouchedNames]> {
    for (const nodeId of commit.changedNodes.keys()) this.#refile(nodeId);
    for (const [scopeId, byScope] of commit.changedScopes) {
      for (const nodeId of this.#nodesOfScope.get(scopeId) ?? []) {
        const byNode = commit.changedNodes.get(nodeId);
        const touched = byNode === undefined ? byScope : mergeTouched(byScope, byNode);
        for (const connection of this.ofNode(nodeId)) yield [connection, touched];
      }
    }
    for (const [nodeId, byNode] of commit.changedNodes) {
      const node = this.#byNode.get(nodeId);
      if (node === undefined || commit.changedScopes.has(node.scopeId)) continue;
      for (const connection of node.connections) yield [connection, byNode];
    }
  }

  /** A commit may have moved the node into another scope. */
  #refile(nodeId: string): void {
    const node = this.#byNode.get(nodeId);
    const scopeId = this.#scopeOf(nodeId);
    if (node === undefined || node.scopeId === scopeId) return;
    this.#leave(node.scopeId, nodeId);
    node.scopeId = scopeId;
    this.#enter(scopeId, nodeId);
  }

  #enter(scopeId: string, nodeId: string): void {
    const nodes = this.#nodesOfScope.get(scopeId);
    if (nodes === undefined) this.#nodesOfScope.set(scopeId, new Set([nodeId]));
    else nodes.add(nodeId);
  }

  #leave(scopeId: string, nodeId: string): void {
    const nodes = this.#nodesOfScope.get(scopeId);
    nodes?.delete(nodeId);
    if (nodes?.size === 0) this.#nodesOfScope.delete(scopeId);
  }
}
