import type { ClusterConfig, HostSpec, TlsMatch } from "./cluster-config.ts";
import { canonicalJson } from "./subset-config.ts";

/** How each host of a cluster is connected to: the same object for the same metadata, so that a host that stays keeps its connections. */
export class HostSettings {
  readonly #config: ClusterConfig;
  #ofMatches: Map<TlsMatch, ClusterConfig> | undefined;

  constructor(config: ClusterConfig) {
    this.#config = config;
  }

  of({ tlsMetadata = {} }: HostSpec): ClusterConfig {
    const { tlsMatches = [] } = this.#config;
    const found = tlsMatches.find(({ match }) =>
      [...match].every(([name, value]) => name in tlsMetadata && canonicalJson(tlsMetadata[name]) === value),
    );
    if (found === undefined) return this.#config;
    const known = (this.#ofMatches ??= new Map());
    const config = known.get(found) ?? { ...this.#config, tls: found.tls };
    known.set(found, config);
    return config;
  }
}
