/** A statistic as Prometheus has it: what users have named is in labels, not in the family. */
export interface TaggedStat {
  /** With dots: `cluster.upstream_rq`. */
  readonly family: string;
  readonly tags: readonly (readonly [label: string, value: string])[];
}

interface TagRule {
  /** Of the family; "" = the filter counts for itself, wherever it is. */
  readonly root: string;
  /** The name behind its root. `stat` and `rest` go on in the family, every other group is a tag of its own name. */
  readonly pattern: RegExp;
}

const rule = (root: string, pattern: string): TagRule => ({ root, pattern: new RegExp(`^${pattern}$`, "s") });

/** Begins all that a cluster counts outside of its groups: a cluster may itself be called `a.http2`. */
const startsOfCluster = /^(?:upstream|lb|membership|update|retry|original_dst|init_fetch|version)(?:_\w+)?$/;
const ofRequests = "(?:downstream_|no_route$|no_cluster$|rs_too_large$|rq_(?:direct|redirect)|passthrough_)";
const cluster = String.raw`(?<envoy_cluster_name>.+)\.`;
const manager = String.raw`(?<envoy_http_conn_manager_prefix>.+?)\.`;
const rpc = String.raw`(?<envoy_rpc_prefix>.+?)\.`;
const listener = String.raw`(?<envoy_listener_address>\[[^\]]*\]_\d+|.+?_\d+|.+?)\.`;
/** A listener is called by its address, or by a prefix of its own. */
const address = String.raw`(?<envoy_listener_address>\[[^\]]*\]_\d+|.+?_\d+|[^.]+)\.`;
const ofListener = String.raw`(?:downstream_\w+|no_filter_chain_match|server_ssl_socket_factory\.\w+|ssl\.\w+)`;

/** Of filters, by the tag that says which requests they see. */
const filterRules = (root: string, owner: string): TagRule[] => [
  rule(root, String.raw`${owner.replace("+?", "+")}(?<stat>${ofRequests}\w*)`),
  rule(root, String.raw`${owner}(?<stat>rds)\.(?<envoy_rds_route_config>.+)\.(?<rest>\w+)`),
  rule(root, String.raw`${owner}(?<stat>compressor\..+)`),
  rule(
    "",
    String.raw`${owner.replace("+?", "+")}(?<envoy_local_http_ratelimit_prefix>[^.]+)\.(?<stat>http_local_rate_limit\.\w+)`,
  ),
  rule(root, String.raw`${owner}(?<stat>fault)\.(?<envoy_fault_downstream_cluster>.+)\.(?<rest>\w+)`),
  rule(root, String.raw`${owner}(?<stat>(?:fault|cors)\.\w+)`),
  // Of somebody else's filters. As in Envoy, whose prefixes have no dots.
  rule(root, String.raw`${owner.replace(".+?", "[^.]+")}(?<stat>.+)`),
];

/** The first one that matches says what the tags are: those of Envoy's own tag extraction, in names that may have dots. */
const rulesOfRoot: ReadonlyMap<string, readonly TagRule[]> = new Map([
  [
    "cluster",
    [
      rule("cluster", String.raw`${cluster}(?<stat>circuit_breakers\.(?:default|high)\.\w+)`),
      rule("cluster", String.raw`${cluster}(?<stat>(?:http2|outlier_detection|health_check|ssl)\.\w+)`),
      rule("cluster", String.raw`${cluster}(?<stat>ssl\.ciphers)\.(?<cipher_suite>[\w-]+)`),
      rule("cluster", String.raw`${cluster}(?<stat>ssl\.versions)\.(?<envoy_ssl_version>[\w.-]+)`),
      rule("cluster", String.raw`${cluster}(?<stat>ssl\.curves)\.(?<envoy_ssl_curve>[\w-]+)`),
      rule("cluster", String.raw`${cluster}(?<stat>\w+)`),
    ],
  ],
  ["http", filterRules("http", manager)],
  ["rpc", filterRules("rpc", rpc)],
  [
    "vhost",
    [
      rule(
        "vhost",
        String.raw`(?<envoy_virtual_host>.+?)\.(?<stat>vcluster)\.(?<envoy_virtual_cluster>.+)\.(?<rest>\w+)`,
      ),
    ],
  ],
  ["tcp", [rule("tcp", String.raw`(?<envoy_tcp_prefix>.+)\.(?<stat>\w+)`)]],
  [
    "listener",
    [
      rule("listener", String.raw`${listener}(?<stat>${ofListener})`),
      rule("listener", String.raw`${listener}(?<stat>ssl\.ciphers)\.(?<envoy_ssl_cipher>[\w-]+)`),
      rule("listener", String.raw`${listener}(?<stat>ssl\.versions)\.(?<envoy_ssl_version>[\w.-]+)`),
      rule("listener", String.raw`${listener}(?<stat>ssl\.curves)\.(?<envoy_ssl_curve>[\w-]+)`),
      rule("", String.raw`${listener}(?<stat>connection_limit)\.(?<envoy_connection_limit_prefix>.+)\.(?<rest>\w+)`),
      rule(
        "",
        String.raw`${listener}(?<stat>proxy_proto)\.versions\.v(?<envoy_proxy_protocol_version>\d)\.(?<rest>\w+)`,
      ),
      rule("", String.raw`${listener}(?<stat>(?:proxy_proto|tls_inspector|http_inspector)\.\w+)`),
      rule("listener", String.raw`${address}(?<stat>.+)`),
    ],
  ],
  ["server", [rule("server", String.raw`worker_(?<envoy_worker_id>\d+)\.(?<stat>.+)`)]],
]);

/** What a response's status made of the name: `upstream_rq_503`, `downstream_rq_5xx`. */
const responseCode = /_rq_(?:(\d{3})|(\d)xx)$/;

/** By the last part of a name, most of a scrape: what it is when a cluster counts it outside of its groups; undefined = it does not. */
const ownOfClusters = new Map<string, TaggedStat | undefined>();
const MAX_KNOWN = 1000;

function ownOfCluster(last: string): TaggedStat | undefined {
  if (ownOfClusters.has(last)) return ownOfClusters.get(last);
  const known = startsOfCluster.test(last) ? withResponseCode(`cluster.${last}`, []) : undefined;
  if (ownOfClusters.size < MAX_KNOWN) ownOfClusters.set(last, known);
  return known;
}

/** @param name as `/stats` has it */
export function taggedStat(name: string): TaggedStat {
  const dot = name.indexOf(".");
  const root = name.slice(0, dot);
  if (root === "cluster") {
    const end = name.lastIndexOf(".");
    const own = end === dot ? undefined : ownOfCluster(name.slice(end + 1));
    if (own !== undefined)
      return { family: own.family, tags: [["envoy_cluster_name", name.slice(dot + 1, end)], ...own.tags] };
  }
  const behind = name.slice(dot + 1);
  for (const { root: familyRoot, pattern } of rulesOfRoot.get(root) ?? []) {
    const groups = pattern.exec(behind)?.groups;
    if (groups === undefined) continue;
    const { stat, rest, ...tags } = groups;
    const family = [familyRoot, stat, rest].filter((part) => part !== undefined && part !== "").join(".");
    return withResponseCode(family, Object.entries(tags));
  }
  return withResponseCode(name, []);
}

function withResponseCode(family: string, tags: [string, string][]): TaggedStat {
  const match = responseCode.exec(family);
  if (match === null) return { family, tags };
  const [whole, code, codeClass] = match;
  const bare = family.slice(0, -whole.length);
  if (code !== undefined) return { family: `${bare}_rq`, tags: [...tags, ["envoy_response_code", code]] };
  return { family: `${bare}_rq_xx`, tags: [...tags, ["envoy_response_code_class", codeClass!]] };
}
